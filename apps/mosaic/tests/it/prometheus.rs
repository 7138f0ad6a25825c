//! The files of `deploy/` under the real Prometheus: it reads them, scrapes a practice federation, and finds everything
//! that an alert asks for.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::support::{Install, practice_clock};

/// A file of `deploy/`.
macro_rules! deploy {
    ($name:literal) => {
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/", $name)
    };
}

#[test]
fn prometheus_finds_what_the_alerts_ask_for() {
    if !["prometheus", "promtool"].into_iter().all(starts) {
        assert!(
            std::env::var_os("CI").is_none(),
            "the package prometheus is missing; `cargo xtask ci --install` brings it"
        );
        writeln!(std::io::stderr(), "skipped: the package prometheus is missing").unwrap();
        return;
    }
    promtool(&["check", "rules", deploy!("alerts.yml")], "");
    promtool(&["test", "rules", deploy!("alerts.test.yml")], "");
    promtool(&["check", "config", deploy!("prometheus.yml")], "");

    let home = Install::new();
    // half a year from the machine's clock, so that the alert for skew has something to say
    let up = home.start(&["up", "--practice-clock", &practice_clock(1.0)]);
    let served: Vec<&str> = up.ready["metrics"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let targets: Vec<&str> =
        served.iter().map(|url| url.strip_prefix("http://").unwrap().strip_suffix("/metrics").unwrap()).collect();
    assert_eq!(targets.len(), 3);
    promtool(&["check", "metrics"], &metrics(targets[0]));

    let prometheus = Prometheus::start(&home, &targets);
    prometheus.wait_for("count(up == 1) == 3");
    for name in named_by_alerts() {
        prometheus.wait_for(&format!("count(count by (instance) ({name})) == 3"));
    }
    prometheus.wait_for(r#"count(ALERTS{alertname="MosaicClockSkew"}) == 3"#);
    prometheus.wait_for(r#"absent(ALERTS{alertname="MosaicProviderDown"})"#);
    drop(prometheus);
    assert_eq!(up.stop(), 0);
}

fn starts(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// What it printed; it must be content.
fn promtool(args: &[&str], input: &str) -> String {
    let mut tool = Command::new("promtool");
    tool.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = tool.spawn().unwrap();
    // dropped at once, so that it sees the end
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "promtool {args:?}: {}{}", said(&output.stdout), said(&output.stderr));
    said(&output.stdout)
}

/// What a provider shows its operator.
pub(crate) fn metrics(address: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    let (head, body) = said.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    body.to_owned()
}

/// The provider's metrics in the expressions of `alerts.yml`.
fn named_by_alerts() -> BTreeSet<String> {
    let rules = fs::read_to_string(deploy!("alerts.yml")).unwrap();
    let expressions = rules.lines().filter_map(|line| line.trim().strip_prefix("expr:"));
    let words = expressions.flat_map(|expr| expr.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
    let names: BTreeSet<String> = words.filter(|word| word.starts_with("mosaic_")).map(str::to_owned).collect();
    assert!(names.len() >= 10, "{names:?}");
    names
}

/// The server, until it is dropped.
struct Prometheus {
    child: Child,
    url: String,
}

impl Prometheus {
    /// With the files of `deploy/`, other targets and a shorter interval, on a port of the system's choice.
    fn start(home: &Install, targets: &[&str]) -> Self {
        let mut config = fs::read_to_string(deploy!("prometheus.yml")).unwrap();
        for (delivered, here) in [("127.0.0.1:9464", targets.join("\", \"").as_str()), ("15s", "1s")] {
            assert!(config.contains(delivered), "{config}");
            config = config.replace(delivered, here);
        }
        let config = home.write("prometheus.yml", &config);
        fs::copy(deploy!("alerts.yml"), home.file("alerts.yml")).unwrap();
        promtool(&["check", "config", &config], "");
        let mut server = Command::new("prometheus");
        server.arg(format!("--config.file={config}")).arg("--web.listen-address=127.0.0.1:0");
        server.arg(format!("--storage.tsdb.path={}", home.file("prometheus").display()));
        Self::listening(server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Waits until it says where it listens.
    fn listening(child: Child) -> Self {
        // from here on it is stopped whatever happens
        let mut server = Self { child, url: String::new() };
        let mut log = BufReader::new(server.child.stderr.take().unwrap());
        let (mut line, mut read) = (String::new(), String::new());
        while log.read_line(&mut line).unwrap() > 0 {
            if let Some((_, address)) = line.split_once("msg=\"Listening on\" address=") {
                server.url = format!("http://{}", address.trim());
                // drained, so that it never blocks or breaks
                std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
                return server;
            }
            read.push_str(&line);
            line.clear();
        }
        panic!("prometheus ended: {read}")
    }

    /// The samples of an expression at this moment.
    fn ask(&self, expression: &str) -> Vec<Value> {
        let said = promtool(&["query", "instant", "--format", "json", &self.url, expression], "");
        serde_json::from_str(&said).unwrap()
    }

    /// Asks until there is a sample. A question is a process, which gives the server its time.
    fn wait_for(&self, expression: &str) {
        for _ in 0..1_000 {
            if !self.ask(expression).is_empty() {
                return;
            }
        }
        panic!("{expression} never came true: {:?}", self.ask("up"))
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // one that ended cannot be killed
        let _gone = self.child.kill().and_then(|()| self.child.wait());
    }
}
