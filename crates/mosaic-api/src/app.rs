//! What a browser loads before it asks anything: the files of the web app. They hold nothing of the person, so they are
//! served without a token; everything that they then ask for goes through the operations.

/// One file of the web app, as a program that embeds it carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppFile {
    /// Its path, with the leading slash.
    pub path: &'static str,
    /// Its media type.
    pub media: &'static str,
    /// Its bytes.
    pub plain: &'static [u8],
    /// The same compressed with gzip, where that is shorter.
    pub gzip: Option<&'static [u8]>,
}

impl AppFile {
    /// The page that every view of the app begins with.
    pub const PAGE: &'static str = "/index.html";

    /// Views of the app: addresses that a person may load anew, where no file lies. They answer with [`Self::PAGE`], whatever the query.
    pub const VIEWS: [&'static str; 7] =
        ["/", "/broadcast", "/discover", "/gathering", "/association", "/privacy", "/onboarding"];

    /// Which of these files answers a path.
    pub fn at(files: &[Self], path: &str) -> Option<usize> {
        let path = if Self::VIEWS.contains(&path) { Self::PAGE } else { path };
        files.iter().position(|file| file.path == path)
    }

    /// Whether its name changes with its content, so that it may be kept for ever: what the build put below `/assets/`.
    pub fn is_hashed(&self) -> bool {
        self.path.starts_with("/assets/")
    }
}

/// What the app may do in a browser (Content Security Policy, level 3): load, send and embed nothing but from its own agent,
/// and run no inline script.
pub const APP_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    font-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[cfg(test)]
mod tests {
    use super::*;

    static FILES: [AppFile; 2] = [
        AppFile { path: "/index.html", media: "text/html", plain: b"page", gzip: None },
        AppFile { path: "/assets/app-1a2b.js", media: "text/javascript", plain: b"code", gzip: None },
    ];

    #[test]
    fn a_view_is_the_page_and_nothing_else_is() {
        let at = |path| AppFile::at(&FILES, path).map(|at| FILES[at].path);
        assert!(AppFile::VIEWS.iter().all(|view| at(view) == Some(AppFile::PAGE)));
        assert_eq!(at("/assets/app-1a2b.js"), Some("/assets/app-1a2b.js"));
        for other in ["/discover/", "/assets/", "/assets/../index.html", "/v1", "/nothing", ""] {
            assert_eq!(at(other), None, "{other}");
        }
        assert_eq!([FILES[0].is_hashed(), FILES[1].is_hashed()], [false, true]);
    }
}
