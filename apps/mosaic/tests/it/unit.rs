//! The unit of `deploy/` as systemd reads it.

use std::{fs, io::Write, process::Command};

use crate::support::Install;

/// Every directive is one that systemd knows, and what the service may do is little. systemd rates the exposure from 0 to
/// 10; everything that the unit leaves out counts.
#[test]
fn systemd_takes_the_unit_and_calls_it_confined() {
    let analyze = |args: &[&str]| Command::new("systemd-analyze").args(args).output();
    if analyze(&["--version"]).is_err() {
        assert!(
            std::env::var_os("CI").is_none(),
            "the package systemd is missing; `cargo xtask ci --install` brings it"
        );
        writeln!(std::io::stderr(), "skipped: the package systemd is missing").unwrap();
        return;
    }
    let unit =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/mosaic-provider.service")).unwrap();
    let home = Install::new();
    // the program is not installed where the unit will look for it
    let unit =
        home.write("mosaic-provider.service", &unit.replace("/usr/local/bin/mosaic", env!("CARGO_BIN_EXE_mosaic")));
    let verified = analyze(&["verify", &unit]).unwrap();
    let said = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success() && !said.contains("mosaic-provider"), "{said}");
    let rated = analyze(&["security", "--offline=true", "--threshold=15", "--no-pager", &unit]).unwrap();
    assert!(rated.status.success(), "exposed beyond 1.5: {}", String::from_utf8_lossy(&rated.stdout));
}
