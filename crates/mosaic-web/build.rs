//! Builds the web app where Node is installed, and writes a table of its files; else of a page that says why not.

use std::{
    collections::BTreeMap,
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};

/// What lies in `web/` and is no source: what builds and tests leave there.
const NO_SOURCES: [&str; 7] =
    ["node_modules", "dist", "test-results", "test-artifacts", "playwright-report", "coverage", "screenshots"];
/// What the build leaves for others: the operator's page belongs to a provider, and maps of the sources to nobody.
const NOT_SERVED: [&str; 2] = ["dashboard.html", ".map"];

fn main() -> Result<()> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let web = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../web");
    for watched in ["build.rs", "notice"] {
        println!("cargo:rerun-if-changed={watched}");
    }
    println!("cargo:rerun-if-env-changed=MOSAIC_WEB");
    watch(&web)?;
    let wanted = env::var("MOSAIC_WEB").unwrap_or_default();
    let built = if wanted == "off" { Err(anyhow::anyhow!("MOSAIC_WEB=off")) } else { build(&web, &out.join("web")) };
    let (folder, built) = match built {
        Ok(dist) => (dist, "App"),
        Err(error) if wanted == "required" => return Err(error.context("the web app could not be built")),
        Err(error) => {
            if wanted != "off" {
                println!("cargo:warning=this program carries no web app: {error:#}");
            }
            (notice(&out, &error)?, "Notice")
        }
    };
    let files = table(&folder, &out)?;
    let table = format!(
        "/// Whether [`FILES`] are the app.\npub const BUILT: Built = Built::{built};\n\n/// What is served beside the local API.\n\
         pub static FILES: &[AppFile] = &[\n{files}];\n"
    );
    fs::write(out.join("files.rs"), table)?;
    Ok(())
}

/// Names every source, so that what a person builds or tests in `web/` by hand starts nothing anew here.
fn watch(web: &Path) -> Result<()> {
    if !web.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(web)? {
        let entry = entry?;
        let name = entry.file_name();
        if !NO_SOURCES.iter().any(|other| name == *other) {
            println!("cargo:rerun-if-changed={}", entry.path().display());
        }
    }
    Ok(())
}

/// Copies the sources to `work` and builds them there; where the result lies. The source tree is never written to.
fn build(web: &Path, work: &Path) -> Result<PathBuf> {
    ensure!(web.join("package-lock.json").exists(), "there is no web/package-lock.json");
    for program in ["node", "npm"] {
        let there = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        ensure!(there.is_ok_and(|status| status.success()), "{program} is not installed");
    }
    copy_sources(web, work)?;
    install(work)?;
    npm(work, &["run", "build"])?;
    let dist = work.join("dist");
    ensure!(dist.join("index.html").exists(), "the build left no dist/index.html");
    Ok(dist)
}

/// What npm installed stays as long as the lock file is the same.
fn install(work: &Path) -> Result<()> {
    let lock = fs::read(work.join("package-lock.json"))?;
    let installed = work.join("installed.lock");
    if work.join("node_modules").exists() && fs::read(&installed).is_ok_and(|before| before == lock) {
        return Ok(());
    }
    // whoever is offline is told so in a minute, and no package runs a script of its own
    npm(work, &["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=30000"])?;
    fs::write(installed, lock)?;
    Ok(())
}

fn npm(folder: &Path, arguments: &[&str]) -> Result<()> {
    let output = Command::new("npm").args(arguments).current_dir(folder).env("CI", "1").stdin(Stdio::null()).output();
    let output = output.context("npm did not start")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        let said: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).take(3).collect();
        bail!("npm {} failed: {}", arguments.join(" "), said.join(" | "));
    }
    Ok(())
}

/// Replaces the sources in `work` by those of now; what npm installed there stays.
fn copy_sources(web: &Path, work: &Path) -> Result<()> {
    fs::create_dir_all(work)?;
    for entry in fs::read_dir(work)? {
        let path = entry?.path();
        let kept = ["node_modules", "installed.lock"].iter().any(|name| path.ends_with(name));
        match path.is_dir() {
            _ if kept => {}
            true => fs::remove_dir_all(path)?,
            false => fs::remove_file(path)?,
        }
    }
    copy(web, work)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (name, target) = (entry.file_name(), to.join(entry.file_name()));
        if NO_SOURCES.iter().any(|other| name == *other) {
            continue;
        }
        match entry.file_type()? {
            kind if kind.is_dir() => copy(&entry.path(), &target)?,
            kind if kind.is_file() => drop(fs::copy(entry.path(), target)?),
            _ => {}
        }
    }
    Ok(())
}

/// The page that stands for the app.
fn notice(out: &Path, why: &anyhow::Error) -> Result<PathBuf> {
    let folder = out.join("notice");
    fs::create_dir_all(&folder)?;
    let why: String = format!("{why:#}").replace('&', "&amp;").replace('<', "&lt;");
    fs::write(folder.join("index.html"), include_str!("notice/index.html").replace("@WHY@", &why))?;
    fs::write(folder.join("notice.css"), include_str!("notice/notice.css"))?;
    Ok(folder)
}

/// One line for each file below `folder`.
fn table(folder: &Path, out: &Path) -> Result<String> {
    let mut files = BTreeMap::new();
    list(folder, String::new(), &mut files)?;
    let packed = out.join("packed");
    fs::create_dir_all(&packed)?;
    let mut lines = String::new();
    for (number, (path, file)) in files.iter().enumerate() {
        let plain = fs::read(file)?;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&plain)?;
        let shorter = encoder.finish()?;
        let gzip = if shorter.len() * 10 < plain.len() * 9 {
            let name = packed.join(number.to_string());
            fs::write(&name, shorter)?;
            format!("Some(include_bytes!({:?}))", name.display().to_string())
        } else {
            "None".to_owned()
        };
        lines += &format!(
            "    AppFile {{ path: {path:?}, media: {:?}, plain: include_bytes!({:?}), gzip: {gzip} }},\n",
            media(path),
            file.display().to_string()
        );
    }
    Ok(lines)
}

fn list(folder: &Path, prefix: String, files: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string().ok().context("a file name is not UTF-8")?;
        let path = format!("{prefix}/{name}");
        if entry.file_type()?.is_dir() {
            list(&entry.path(), path, files)?;
        } else if !NOT_SERVED.iter().any(|ending| name.ends_with(ending)) {
            files.insert(path, entry.path());
        }
    }
    Ok(())
}

fn media(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
