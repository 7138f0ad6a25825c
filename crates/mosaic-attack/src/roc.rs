//! The curve behind an AUC, thinned to what a plot can show.

/// Points `[false alarms, hits]` of the ROC curve from `[0, 0]` to `[1, 1]`, both axes shares in 0..=1, at
/// most `points` + 2 of them. Equal scores cannot be parted and make one step. Only the two ends where one
/// kind is missing.
pub fn roc(pairs: &[(f64, bool)], points: usize) -> Vec<[f64; 2]> {
    let whole = steps(pairs);
    let stride = whole.len().div_ceil(points.max(1)).max(1);
    let inner = whole.iter().copied().enumerate().filter(|(index, _)| (index + 1) % stride == 0).map(|(_, step)| step);
    let mut curve: Vec<[f64; 2]> = std::iter::once([0.0; 2]).chain(inner).chain([[1.0; 2]]).collect();
    curve.dedup();
    curve
}

/// Largest share of positives found while at most `alarms` of the negatives are called positive.
pub fn hits_at(pairs: &[(f64, bool)], alarms: f64) -> f64 {
    steps(pairs).iter().filter(|step| step[0] <= alarms).map(|step| step[1]).fold(0.0, f64::max)
}

fn steps(pairs: &[(f64, bool)]) -> Vec<[f64; 2]> {
    let mut sorted = pairs.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let positives = sorted.iter().filter(|pair| pair.1).count() as f64;
    let negatives = sorted.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 {
        return Vec::new();
    }
    let (mut alarms, mut hits) = (0.0, 0.0);
    let step = |tied: &[(f64, bool)]| {
        let real = tied.iter().filter(|pair| pair.1).count() as f64;
        hits += real;
        alarms += tied.len() as f64 - real;
        [alarms / negatives, hits / positives]
    };
    sorted.chunk_by(|a, b| a.0 == b.0).map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_of_known_scores() {
        let pairs = [(0.9, true), (0.8, false), (0.7, true), (0.7, false)];
        assert_eq!(roc(&pairs, 10), [[0.0, 0.0], [0.0, 0.5], [0.5, 0.5], [1.0, 1.0]]);
        assert_eq!(hits_at(&pairs, 0.01), 0.5);
        assert_eq!(hits_at(&pairs, 0.5), 0.5);
        assert_eq!(roc(&[(0.1, true)], 10), [[0.0, 0.0], [1.0, 1.0]]);
        let many: Vec<(f64, bool)> = (0..1_000).map(|at| (f64::from(at), at % 2 == 0)).collect();
        assert!(roc(&many, 50).len() <= 52);
    }
}
