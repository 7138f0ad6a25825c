//! System packages the checks need, named when missing and installed only when asked.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, bail};

use crate::tell::tell;

/// A program the checks call, and the Debian package that brings it.
struct Tool {
    program: &'static str,
    package: &'static str,
    needed_for: &'static str,
}

const TOOLS: [Tool; 12] = [
    Tool { program: "git", package: "git", needed_for: "listing the project's files" },
    Tool { program: "cc", package: "build-essential", needed_for: "compiling SQLite and the TLS primitives" },
    Tool { program: "c++", package: "build-essential", needed_for: "compiling the fuzz targets' runtime" },
    Tool { program: "ip", package: "iproute2", needed_for: "joining from a second network namespace in the tests" },
    Tool {
        program: "prometheus",
        package: "prometheus",
        needed_for: "running the alert rules of deploy/ in the tests",
    },
    Tool {
        program: "redis-server",
        package: "redis-server",
        needed_for: "keeping the spent set of a provider's fronts in the tests",
    },
    Tool {
        program: "influxd",
        package: "influxdb",
        needed_for: "writing published counts to a real store in the tests",
    },
    Tool { program: "node", package: "nodejs", needed_for: "building and testing the web app (20.19 or later)" },
    Tool { program: "npm", package: "npm", needed_for: "installing what the web app is built with" },
    Tool { program: "chromium", package: "chromium", needed_for: "playing the web app's tests in a browser" },
    Tool { program: "promtool", package: "prometheus", needed_for: "checking the files of deploy/ in the tests" },
    Tool { program: "systemd-analyze", package: "systemd", needed_for: "checking the unit of deploy/ in the tests" },
];

/// A program that no Debian package brings, and how cargo builds it.
struct Built {
    program: &'static str,
    package: &'static str,
    options: &'static [&'static str],
    needed_for: &'static str,
}

// unoptimised: built in two minutes instead of seven, and the tests are none the slower
const BUILT: [Built; 1] = [Built {
    program: "dynoxide",
    package: "dynoxide-rs@3.2.0",
    options: &["--debug", "--no-default-features", "--features", "native-sqlite,http-server,cli"],
    needed_for: "keeping a provider's store in a table in the tests",
}];

/// Packages that start a service of their own name, open to other machines. The tests need the program alone.
const SERVICES: [&str; 3] = ["prometheus", "influxdb", "redis-server"];

/// Makes sure every tool is there: installs what is missing when `install` is set, else names it.
pub(crate) fn ensure(install: bool) -> Result<()> {
    let missing: Vec<&Tool> = TOOLS.iter().filter(|tool| !present(tool.program)).collect();
    let unbuilt: Vec<&Built> = BUILT.iter().filter(|built| !present(built.program)).collect();
    if missing.is_empty() && unbuilt.is_empty() {
        return Ok(());
    }
    if !install {
        let packaged =
            missing.iter().map(|tool| format!("{} (package {}): {}", tool.program, tool.package, tool.needed_for));
        let built =
            unbuilt.iter().map(|built| format!("{} (crate {}): {}", built.program, built.package, built.needed_for));
        let named: Vec<String> = packaged.chain(built).collect();
        bail!("missing programs; run `cargo xtask ci --install` or install them yourself:\n  {}", named.join("\n  "));
    }
    if !missing.is_empty() {
        from_packages(&missing)?;
    }
    unbuilt.into_iter().try_for_each(build)
}

fn from_packages(missing: &[&Tool]) -> Result<()> {
    apt(&["update", "-qq"])?;
    let packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    for service in SERVICES.into_iter().filter(|service| packages.contains(service)) {
        mask(service)?;
    }
    apt(&[&["install", "-y", "-qq", "--no-install-recommends"][..], &packages].concat())
}

/// Builds a program into cargo's own folder of programs, with its dependencies as its authors pinned them.
fn build(built: &Built) -> Result<()> {
    let arguments = [&["install", "--locked", built.package], built.options].concat();
    let status = Command::new(env!("CARGO")).args(arguments).status().context("cargo did not start")?;
    if !status.success() {
        bail!("cargo install {} failed ({status})", built.package);
    }
    if !present(built.program) {
        bail!("{} was built and is not on the search path; add ~/.cargo/bin to PATH", built.program);
    }
    Ok(())
}

/// Keeps a service that is not here yet from starting when its package comes; what somebody set up is left alone.
fn mask(service: &str) -> Result<()> {
    let unit = Path::new("/etc/systemd/system").join(format!("{service}.service"));
    if unit.symlink_metadata().is_ok() {
        return Ok(());
    }
    let doing = || format!("{} cannot be made; are you root?", unit.display());
    std::fs::create_dir_all("/etc/systemd/system").with_context(doing)?;
    std::os::unix::fs::symlink("/dev/null", &unit).with_context(doing)?;
    tell(&format!("{service} comes without its service; `systemctl unmask {service}` allows it"));
    Ok(())
}

/// Whether `program` is on the search path.
pub(crate) fn present(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).chain([Path::new("/usr/sbin").to_owned()]).any(|folder| folder.join(program).is_file())
}

fn apt(arguments: &[&str]) -> Result<()> {
    let status = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .status()
        .context("apt-get did not start; install the packages by hand")?;
    if !status.success() {
        bail!("apt-get {} failed ({status}); are you root?", arguments.join(" "));
    }
    Ok(())
}
