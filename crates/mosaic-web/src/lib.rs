//! The web app, as its build left it: files that a program carries and an agent serves.
//!
//! The sources are TypeScript under `web/`. The build script of this crate builds them where Node is installed, in its own
//! folder below `target/`; where it is not, or where that fails, the program carries one page that says so, and everything
//! else works ([ADR 0029](../../../docs/adr/0029-the-app-is-built-by-a-build-script.md)). `MOSAIC_WEB=off` leaves the app out
//! at once, `MOSAIC_WEB=required` fails instead of leaving it out.

use mosaic_api::AppFile;

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// Whether these files are the app, or the page that stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Built {
    /// The app.
    App,
    /// A page that says why there is none.
    Notice,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::HashSet, io::Read as _};

    #[test]
    fn there_is_a_page_and_every_file_has_one_path() {
        let page = AppFile::at(FILES, "/").unwrap();
        assert!(FILES[page].media.starts_with("text/html") && !FILES[page].plain.is_empty());
        let paths: HashSet<_> = FILES.iter().map(|file| file.path).collect();
        assert_eq!(paths.len(), FILES.len());
        assert!(paths.iter().all(|path| path.starts_with('/') && !path.starts_with("/v1")));
        assert_eq!(BUILT == Built::Notice, FILES.len() == 2);
    }

    /// The policy that is sent along forbids code and styles within a page.
    #[test]
    fn no_page_holds_what_its_policy_forbids() {
        for file in FILES.iter().filter(|file| file.media.starts_with("text/html")) {
            let page = std::str::from_utf8(file.plain).unwrap().to_lowercase();
            assert!(
                !page.contains("<style") && !page.contains(" style=") && !page.contains(" onclick="),
                "{}",
                file.path
            );
            for script in page.split("<script").skip(1) {
                let tag = script.split('>').next().unwrap();
                assert!(tag.contains(" src="), "{}: a script within the page", file.path);
            }
            assert!(!page.contains("src=\"http") && !page.contains("href=\"http"), "{}: from elsewhere", file.path);
        }
    }

    #[test]
    fn what_is_compressed_is_the_same_and_shorter() {
        for file in FILES {
            let Some(gzip) = file.gzip else { continue };
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(gzip).read_to_end(&mut plain).unwrap();
            assert!(plain == file.plain && gzip.len() < plain.len(), "{}", file.path);
        }
    }
}
