//! The index of public places beside osmium: the same extract, the same seven tags, the places counted; and what a
//! lookup takes beside what the requirements allow.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{CompareArgs, sheet::Sheet};
use crate::{tell::tell, tools, tree};

/// What the index takes from a map, as osmium writes it: nodes and ways with one of the seven tags.
const TAGS: [&str; 7] = ["nw/amenity", "nw/shop", "nw/leisure", "nw/tourism", "nw/office", "nw/craft", "nw/healthcare"];
/// How often both are run, in turns; the least counts.
const TIMES: usize = 5;

/// Adds a row for the extract, and one for every bound.
pub(super) fn compare(args: &CompareArgs, sheet: &mut Sheet) -> Result<()> {
    let extract =
        args.extract.as_deref().context("places: name an OpenStreetMap extract with --extract FILE.osm.pbf")?;
    ensure!(tools::present("osmium"), "places: osmium is missing; install it (Debian package osmium-tool)");
    let folder = tree::target()?.join("compare");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let example = match &args.example {
        Some(path) => path.clone(),
        None => build(&tree::target()?)?,
    };
    let name = extract.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let (index, filtered) = (folder.join("ours.places"), folder.join("theirs.osm.pbf"));
    let ours = [OsStr::new("build"), extract.as_os_str(), index.as_os_str()];
    let mut theirs = vec![OsStr::new("tags-filter"), OsStr::new("--overwrite"), OsStr::new("-o"), filtered.as_os_str()];
    theirs.push(extract.as_os_str());
    theirs.extend(TAGS.iter().map(OsStr::new));
    tell(&format!("{TIMES} times each, in turns, on one core"));
    let (mut our_costs, mut their_costs, mut told) = (Vec::new(), Vec::new(), Value::Null);
    for _ in 0..TIMES {
        let (cost, printed) = timed(&example, &ours)?;
        told = serde_json::from_slice(&printed).context("our example printed something else")?;
        our_costs.push(cost);
        their_costs.push(timed(Path::new("osmium"), &theirs)?.0);
    }
    let work = format!("places of {name}");
    check(sheet, &work, number(&told, &["places"]), count(extract, &folder)?);
    let peer = version()?;
    let least = |costs: &[Cost]| costs.iter().map(|cost| cost.wall).min().unwrap_or_default().as_secs_f64();
    sheet.seconds(format!("index the {work}, wall, least of {TIMES}"), least(&our_costs), least(&their_costs), &peer);
    if let (Some(ours), Some(theirs)) = (worked(&our_costs), worked(&their_costs)) {
        sheet.seconds(format!("index the {work}, user + system, mean of {TIMES}"), ours, theirs, &peer);
    }
    bounds(&example, &folder, sheet)
}

/// The two must count the same objects. Ways none of whose corners is in the extract are the only ones we may leave out.
fn check(sheet: &mut Sheet, work: &str, ours: f64, theirs: Counted) {
    let whole = theirs.matching - theirs.without_corners;
    // what is no number is not equal either
    if (ours - whole).is_nan() || (ours - whole).abs() > 0.5 {
        sheet.differ(format!("{work}: {ours} here, {whole} there"));
    }
}

/// What osmium finds in an extract.
struct Counted {
    /// Nodes and ways with one of the tags.
    matching: f64,
    /// Matching ways of which the extract holds no corner.
    without_corners: f64,
}

/// Counts with osmium alone: the objects that match, and the ways whose corners it cannot find.
fn count(extract: &Path, folder: &Path) -> Result<Counted> {
    let bare = folder.join("matching.osm.pbf");
    let mut filter = vec![OsStr::new("tags-filter"), OsStr::new("--overwrite"), OsStr::new("-R"), OsStr::new("-o")];
    filter.extend([bare.as_os_str(), extract.as_os_str()]);
    filter.extend(TAGS.iter().map(OsStr::new));
    run(Path::new("osmium"), &filter)?;
    let info = run(
        Path::new("osmium"),
        &["fileinfo", "-e", "-j"].map(OsStr::new).into_iter().chain([bare.as_os_str()]).collect::<Vec<_>>(),
    )?;
    let info: Value = serde_json::from_slice(&info).context("osmium fileinfo printed something else")?;
    let of = |kind| number(&info, &["data", "count", kind]);
    // a GeoJSON line exists for every object with a geometry; a way without a corner has none
    let lines = run(
        Path::new("osmium"),
        &[
            OsStr::new("add-locations-to-ways"),
            OsStr::new("--overwrite"),
            OsStr::new("--ignore-missing-nodes"),
            OsStr::new("-f"),
            OsStr::new("opl,locations_on_ways=true"),
            OsStr::new("-o"),
            OsStr::new("-"),
            extract.as_os_str(),
        ],
    )?;
    let lines = String::from_utf8_lossy(&lines);
    let without = lines.lines().filter(|line| line.starts_with('w') && is_place(line) && !is_located(line));
    #[expect(clippy::cast_precision_loss, reason = "ways of one extract")]
    let without_corners = without.count() as f64;
    Ok(Counted { matching: of("nodes") + of("ways"), without_corners })
}

/// Whether an OPL line has one of the seven tags.
fn is_place(line: &str) -> bool {
    let tags = line.split(' ').find_map(|field| field.strip_prefix('T')).unwrap_or_default();
    let key = |tag: &str| tag.split('=').next().map(str::to_owned).unwrap_or_default();
    tags.split(',').any(|tag| TAGS.iter().any(|known| known.trim_start_matches("nw/") == key(tag)))
}

/// Whether an OPL line of a way names a position: `N…n7x-8.6y41.1,n8xy`.
fn is_located(line: &str) -> bool {
    let nodes = line.split(' ').find_map(|field| field.strip_prefix('N')).unwrap_or_default();
    nodes.split(',').any(|node| node.split_once('x').is_some_and(|(_, at)| at.len() > 1))
}

/// What lookups take in an index of a million places, beside what the requirements allow.
fn bounds(example: &Path, folder: &Path, sheet: &mut Sheet) -> Result<()> {
    tell("an index of a million places, half a minute");
    let million = folder.join("million.places");
    run(example, &[OsStr::new("million"), million.as_os_str()])?;
    let ask = |what: &str| -> Result<Value> {
        let printed = run(example, &[OsStr::new(what), million.as_os_str()])?;
        serde_json::from_slice(&printed).context("our example printed something else")
    };
    let told = ask("measure")?;
    let p99 = |what| number(&told, &[what, "p99"]) / 1e6;
    let among = "of a million places, p99";
    sheet.bound(format!("check one position {among}"), p99("check_us"), 0.005, "s", "requirement L3-45");
    let drive = p99("destination_1_h_drive_us");
    sheet.bound(format!("destination of an hour's drive {among}"), drive, 0.050, "s", "requirement L3-46");
    let resident = number(&ask("resident")?, &["resident_mb"]);
    sheet.bound("a million places in memory".to_owned(), resident, 1_000.0, "MB", "requirement L3-47");
    Ok(())
}

/// The example in the release profile.
fn build(target: &Path) -> Result<PathBuf> {
    tell("building the example of mosaic-geo as it is released");
    let build = ["build", "--quiet", "--locked", "--release", "--package", "mosaic-geo", "--example", "places"];
    let status = Command::new(env!("CARGO")).args(build).current_dir(tree::root()).status();
    ensure!(status.context("cargo did not start")?.success(), "the example does not compile");
    Ok(target.join("release/examples").join(format!("places{}", std::env::consts::EXE_SUFFIX)))
}

/// osmium's name and version, as it prints them first.
fn version() -> Result<String> {
    let told = run(Path::new("osmium"), &[OsStr::new("--version")])?;
    let first = String::from_utf8_lossy(&told).lines().next().unwrap_or_default().replace(" version", "");
    Ok(format!("{first} tags-filter"))
}

/// What the whole life of a process took.
struct Cost {
    wall: Duration,
    /// Seconds that the processor worked for it, in hundredths; `None` where the system does not say.
    worked: Option<f64>,
}

/// Runs a program; what it took, and what it printed.
#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn timed(program: &Path, arguments: &[&OsStr]) -> Result<(Cost, Vec<u8>)> {
    let (before, begin) = (children(), Instant::now());
    let printed = run(program, arguments)?;
    let (wall, after) = (begin.elapsed(), children());
    Ok((Cost { wall, worked: after.zip(before).map(|(after, before)| after - before) }, printed))
}

/// The mean of several runs, if something was counted in all of them.
fn worked(costs: &[Cost]) -> Option<f64> {
    let sum: f64 = costs.iter().map(|cost| cost.worked).sum::<Option<f64>>()?;
    #[expect(clippy::cast_precision_loss, reason = "a handful of runs")]
    let mean = sum / costs.len().max(1) as f64;
    (mean > 0.0).then_some(mean)
}

/// User and system seconds of all children that ended, from Linux's statistics, which count hundredths.
fn children() -> Option<f64> {
    let told = fs::read_to_string("/proc/self/stat").ok()?;
    // the name of the program, in parentheses, may hold spaces
    let mut fields = told.rsplit_once(')')?.1.split_whitespace().skip(13);
    let ticks: f64 = fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?;
    Some(ticks / 100.0)
}

/// Runs a program on one core, where the system can be asked for that.
fn run(program: &Path, arguments: &[&OsStr]) -> Result<Vec<u8>> {
    let mut command = Command::new(if tools::present("taskset") { Path::new("taskset") } else { program });
    if tools::present("taskset") {
        command.args(["-c", "0"]).arg(program);
    }
    let output = command.args(arguments).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("{} did not start", program.display()))?;
    ensure!(output.status.success(), "{} failed ({})", program.display(), output.status);
    Ok(output.stdout)
}

fn number(told: &Value, path: &[&str]) -> f64 {
    path.iter().try_fold(told, |value, key| value.get(key)).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_osmium_are_understood() {
        let located = "w7 v1 Tbuilding=yes,amenity=cafe Nn1x-8.6y41.1,n2xy";
        let lost = "w8 v1 Tshop=books Nn1xy,n2xy";
        let road = "w9 v1 Thighway=path Nn1x-8.6y41.1";
        assert_eq!([located, lost, road].map(is_place), [true, true, false]);
        assert_eq!([located, lost, road].map(is_located), [true, false, true]);
    }

    #[test]
    fn one_place_more_or_less_is_a_difference() {
        for (ours, equal) in [(8.0, true), (9.0, false), (f64::NAN, false)] {
            let mut sheet = Sheet::default();
            sheet.seconds("index".to_owned(), 1.0, 1.0, "peer");
            check(&mut sheet, "places", ours, Counted { matching: 10.0, without_corners: 2.0 });
            assert_eq!(sheet.equal(), equal, "{ours}");
        }
    }
}
