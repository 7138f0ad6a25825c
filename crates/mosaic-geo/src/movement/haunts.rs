use std::time::Duration;

use mosaic_types::LatLng;

use super::{Fix, Stay, Travel};
use crate::{distance_m, sphere::centroid};

/// A place somebody comes back to: stays around one point, taken together.
#[derive(Clone, Debug, PartialEq)]
pub struct Haunt {
    /// The middle of the stays.
    pub position: LatLng,
    /// How many stays there were.
    pub visits: usize,
    /// How long all of them lasted.
    pub dwell: Duration,
}

/// Gathers stays into haunts, the longest first: a stay belongs to the first haunt whose first stay lies within
/// `radius_m` metres.
pub fn haunts(stays: &[Stay], radius_m: f64) -> Vec<Haunt> {
    let mut groups: Vec<Vec<&Stay>> = Vec::new();
    for stay in stays {
        let near = |group: &&mut Vec<&Stay>| {
            group.first().is_some_and(|first| distance_m(first.position, stay.position) <= radius_m)
        };
        match groups.iter_mut().find(near) {
            Some(group) => group.push(stay),
            None => groups.push(vec![stay]),
        }
    }
    let haunt = |group: Vec<&Stay>| {
        let dwell = group.iter().map(|stay| stay.leave.since(stay.arrive)).sum();
        let position = centroid(group.iter().map(|stay| stay.position))?;
        Some(Haunt { position, visits: group.len(), dwell })
    };
    let mut haunts: Vec<Haunt> = groups.into_iter().filter_map(haunt).collect();
    haunts.sort_by_key(|haunt| std::cmp::Reverse(haunt.dwell));
    haunts
}

/// A journey between two stays, or what there is of it at either end of a recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Leg<'a> {
    /// Its fixes in order of time: the last of the stay before, those on the way, the first of the stay after.
    pub fixes: &'a [Fix],
    /// The slowest way of travel that explains it.
    pub travel: Travel,
}

/// The journeys between stays, each with its way of travel: the slowest whose speed times [`Travel::BUFFER`] is not
/// exceeded by seven in eight of its hops, so that a jump of the receiver makes no driver. The fixes are in order of
/// time; the stays are theirs, see [`super::stay_points`].
pub fn legs<'a>(fixes: &'a [Fix], stays: &[Stay]) -> Vec<Leg<'a>> {
    let mut ends: Vec<(usize, usize)> = Vec::new();
    let mut begin = 0;
    for stay in stays {
        let arrive = fixes.partition_point(|fix| fix.at < stay.arrive);
        ends.push((begin, (arrive + 1).min(fixes.len())));
        begin = fixes.partition_point(|fix| fix.at <= stay.leave).saturating_sub(1);
    }
    ends.push((begin, fixes.len()));
    let leg = |(from, until): (usize, usize)| {
        let fixes = fixes.get(from..until).filter(|fixes| fixes.len() > 1)?;
        Some(Leg { fixes, travel: Travel::of_speed(usual_speed(fixes)) })
    };
    ends.into_iter().filter_map(leg).collect()
}

/// The speed in metres a second that seven in eight hops do not exceed.
fn usual_speed(fixes: &[Fix]) -> f64 {
    let hop = |pair: &[Fix]| match pair {
        [a, b] if b.at > a.at => Some(distance_m(a.position, b.position) / b.at.since(a.at).as_secs_f64()),
        _ => None,
    };
    let mut speeds: Vec<f64> = fixes.windows(2).filter_map(hop).collect();
    speeds.sort_by(f64::total_cmp);
    speeds.get(speeds.len() * 7 / 8).or(speeds.last()).copied().unwrap_or(0.0)
}
