//! What is published, written to a real InfluxDB and asked for again.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use mosaic_aggregate::lines;

use crate::published::of_an_evening;

#[test]
fn influxdb_takes_what_is_published() {
    if !Command::new("influxd").arg("version").output().is_ok_and(|output| output.status.success()) {
        assert!(
            std::env::var_os("CI").is_none(),
            "the package influxdb is missing; `cargo xtask ci --install` brings it"
        );
        writeln!(std::io::stderr(), "skipped: the package influxdb is missing").unwrap();
        return;
    }
    let published = of_an_evening(400);
    let names: Vec<String> = (0..16).map(|class| format!("class {class}, all = any")).collect();
    let lines = lines(&published, |class| &names[usize::from(class.get())]);
    let folder = tempfile::tempdir().unwrap();
    let server = Influx::start(folder.path());
    server.ask("POST", "/query?q=CREATE%20DATABASE%20mosaic", "", "200");
    server.ask("POST", "/write?db=mosaic&precision=ns", &lines, "204");
    let written = lines.lines().count();
    let query = "/query?db=mosaic&q=SELECT%20COUNT(wishes)%20FROM%20mosaic_wishes";
    let counted = server.ask("GET", query, "", "200");
    assert!(counted.contains(&format!("[\"1970-01-01T00:00:00Z\",{written}]")), "{counted}");
    let query = "/query?db=mosaic&q=SELECT%20wishes,reports%20FROM%20mosaic_wishes%20WHERE%20class='class%200,%20all%20%3D%20any'%20AND%20part='evening'";
    let found = server.ask("GET", query, "", "200");
    assert!(found.contains("[\"2025-11-20T00:00:00Z\",") && found.contains(",400]"), "{found}");
    // what is no line is refused, so that taking ours means something
    server.ask("POST", "/write?db=mosaic&precision=ns", "mosaic_wishes class=food", "400");
}

/// The server, until it is dropped.
struct Influx {
    child: Child,
    address: String,
}

impl Influx {
    /// On loopback, on ports of the system's choice.
    fn start(folder: &std::path::Path) -> Self {
        let place = |name: &str| folder.join(name).display().to_string();
        let (meta, data, wal) = (place("meta"), place("data"), place("wal"));
        let config = format!(
            "reporting-disabled = true\nbind-address = \"127.0.0.1:0\"\n[meta]\ndir = \"{meta}\"\n[data]\ndir = \"{data}\"\n\
             wal-dir = \"{wal}\"\n[http]\nbind-address = \"127.0.0.1:0\"\nlog-enabled = false\n"
        );
        let file = folder.join("influxdb.conf");
        fs::write(&file, config).unwrap();
        let mut server = Command::new("influxd");
        server.arg("-config").arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        // from here on it is stopped whatever happens
        let mut server = Self { child: server.spawn().unwrap(), address: String::new() };
        let mut log = BufReader::new(server.child.stderr.take().unwrap());
        let (mut line, mut read) = (String::new(), String::new());
        while log.read_line(&mut line).unwrap() > 0 {
            if let Some((_, rest)) = line.split_once("msg=\"Listening on HTTP\"") {
                let address = rest.split_once("addr=").and_then(|(_, rest)| rest.split(' ').next()).unwrap();
                address.clone_into(&mut server.address);
                // drained, so that it never blocks or breaks
                std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
                return server;
            }
            read.push_str(&line);
            line.clear();
        }
        panic!("influxd ended: {read}")
    }

    /// The answer to a request, which must have this status.
    fn ask(&self, method: &str, path: &str, body: &str, status: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}",
            self.address
        )
        .unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        assert!(said.starts_with(&format!("HTTP/1.1 {status}")), "{method} {path}: {said}");
        said
    }
}

impl Drop for Influx {
    fn drop(&mut self) {
        // one that ended cannot be killed
        let _gone = self.child.kill().and_then(|()| self.child.wait());
    }
}
