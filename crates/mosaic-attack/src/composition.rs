//! The tight value that an accountant of differential privacy is held against (scoreboard 24).

/// δ of `answers` randomised responses of ε `each`, at a total ε:
/// `Σ C(k, i) e^{iε} (1 − e^{total − (2i − k) ε})⁺ / (1 + e^ε)^k`, the optimal composition of pure mechanisms (Kairouz, Oh
/// and Viswanath 2015, theorem 3.3, read as a sum over the losses).
pub fn responses_delta(each: f64, answers: u32, total: f64) -> f64 {
    let (mut log_choose, mut sum) = (0.0_f64, 0.0);
    for i in 0..=answers {
        let loss = each * (2.0 * f64::from(i) - f64::from(answers));
        if loss > total {
            let log_p = log_choose + each * f64::from(i) - f64::from(answers) * each.exp().ln_1p();
            sum += log_p.exp() * -(total - loss).exp_m1();
        }
        log_choose += f64::from(answers - i).ln() - f64::from(i + 1).ln();
    }
    sum
}

/// The least ε, from 0 to `most`, at which a δ that falls with ε is at most `target`; by bisection.
pub fn least_epsilon(delta: impl Fn(f64) -> f64, most: f64, target: f64) -> f64 {
    let (mut low, mut high) = (0.0, most);
    if delta(low) <= target {
        return 0.0;
    }
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if delta(middle) > target { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One answer of ε at δ has the closed form `ln(e^ε (1 − δ) − δ)`; a δ that is small enough at once needs no ε.
    #[test]
    fn one_answer_has_a_closed_form() {
        let delta = 1e-6;
        for each in [0.1_f64, 1.0, 2.0] {
            let one = (each.exp() * (1.0 - delta) - delta).ln();
            assert!((least_epsilon(|total| responses_delta(each, 1, total), each, delta) - one).abs() < 1e-9);
        }
        assert!(least_epsilon(|_| 0.0, 3.0, delta).abs() < 1e-15);
    }
}
