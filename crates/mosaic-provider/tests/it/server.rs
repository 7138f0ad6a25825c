//! A real server of the DynamoDB API for tests, which is another program: `dynoxide`.

use std::{
    env,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
};

/// A server on loopback, gone when dropped.
pub(crate) struct Server {
    pub(crate) child: Child,
    port: u16,
}

impl Server {
    /// Starts one with nothing in it; `None` when the program is missing, which CI does not let pass.
    pub(crate) fn start() -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("dynoxide");
        command.args(["serve", "--host", "127.0.0.1", "--port", &port.to_string()]);
        let Ok(child) = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
            assert!(env::var_os("CI").is_none(), "dynoxide is missing; `cargo xtask ci --install` brings it");
            std::io::stderr().write_all(b"skipped: dynoxide is missing\n").unwrap();
            return None;
        };
        let mut server = Self { child, port };
        while !server.answers() {
            assert!(server.child.try_wait().unwrap().is_none(), "dynoxide ended");
            std::thread::yield_now();
        }
        Some(server)
    }

    /// As in an address of a store: the table of this name.
    pub(crate) fn address(&self, table: &str) -> String {
        format!("dynamodb://eu-west-1/{table}?endpoint=http://127.0.0.1:{}", self.port)
    }

    fn answers(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        let asked = stream.write_all(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
        asked.is_ok() && stream.read(&mut [0; 1]).is_ok_and(|count| count == 1)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
