use rand::CryptoRng;

/// A uniform whole number below `bound` (at least 1), exact by rejection.
pub fn below(bound: u64, rng: &mut impl CryptoRng) -> u64 {
    let bound = bound.max(1);
    // the largest multiple of the bound that fits; draws above would favour small numbers
    let usable = u64::MAX - u64::MAX % bound;
    loop {
        let word = rng.next_u64();
        if word < usable {
            return word % bound;
        }
    }
}

/// True with probability `exp(-numerator / denominator)`, exactly (Canonne, Kamath and Steinke 2020, algorithm 1): no
/// number but whole ones is used.
pub fn decays(numerator: u64, denominator: u64, rng: &mut impl CryptoRng) -> bool {
    let (whole, rest) = (numerator / denominator, numerator % denominator);
    (0..whole).all(|_| decays_once(denominator, denominator, rng)) && decays_once(rest, denominator, rng)
}

/// The same for a quotient of at most 1: true exactly if the first of the draws with odds x, x/2, x/3, … to fail has an
/// odd number.
fn decays_once(numerator: u64, denominator: u64, rng: &mut impl CryptoRng) -> bool {
    let mut number = 1_u64;
    while below(denominator.saturating_mul(number), rng) < numerator {
        number += 1;
    }
    number % 2 == 1
}
