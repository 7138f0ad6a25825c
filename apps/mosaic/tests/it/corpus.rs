//! The real client against recorded replies of three services, from a server on loopback.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread::JoinHandle,
};

use serde_json::Value;

use crate::support::{Install, Ran, command, ended};

const KEY: &str = "sk-test-0123456789";

macro_rules! reply {
    ($name:literal) => {
        include_str!(concat!("../../../../crates/mosaic-obfuscate/tests/it/replies/", $name, ".json"))
    };
}

/// Answers one request and gives it back, head and body.
fn serve(status: &'static str, reply: String) -> (String, JoinHandle<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut bytes, mut chunk) = (Vec::new(), [0_u8; 4_096]);
        let (head, body) = loop {
            let many = stream.read(&mut chunk).unwrap();
            assert!(many > 0, "the request ended early");
            bytes.extend_from_slice(&chunk[..many]);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
            if body.len() >= length.unwrap().parse::<usize>().unwrap() {
                break (head.to_owned(), body.to_owned());
            }
        };
        let head_back = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", reply.len());
        // who has read enough hangs up
        let _ = stream.write_all(&[head_back.as_bytes(), reply.as_bytes()].concat());
        (head, body)
    });
    (url, served)
}

fn grow(home: &Install, service: &str, url: &str, out: &str) -> Ran {
    let mut command = command(home.path());
    let line = ["corpus", "grow", "--region", "Portugal", "--topic", "coffee", "--count", "8", "--model", service];
    command.args(line).args(["--base-url", url, "--out", out]);
    for variable in ["ANTHROPIC_API_KEY", "DEEPSEEK_API_KEY", "GEMINI_API_KEY"] {
        command.env(variable, KEY);
    }
    ended(command.output().unwrap())
}

#[test]
fn each_service_is_asked_in_its_language_and_its_lines_are_kept() {
    let home = Install::new();
    for (service, path, key, body, lines) in [
        ("anthropic", "/v1/messages", format!("x-api-key: {KEY}"), reply!("anthropic"), 5),
        ("deepseek", "/chat/completions", format!("authorization: Bearer {KEY}"), reply!("deepseek"), 4),
        (
            "gemini",
            "/v1beta/models/gemini-2.5-flash:generateContent",
            format!("x-goog-api-key: {KEY}"),
            reply!("gemini"),
            3,
        ),
    ] {
        let out = home.file(service).display().to_string();
        let (url, served) = serve("200 OK", body.to_owned());
        let told = grow(&home, service, &url, &out).done();
        assert_eq!((&told["added"], &told["lines"]), (&lines.into(), &lines.into()), "{told}");
        let (head, sent) = served.join().unwrap();
        assert!(head.starts_with(&format!("POST {path} HTTP/1.1")) && head.contains(&key), "{head}");

        // what a dry run prints is what was sent, and the key is not in it
        let line = ["corpus", "grow", "--region", "portugal", "--topic", "Coffee", "--count", "8", "--dry-run"];
        let dry =
            home.run(&[&line[..], &["--model", service, "--base-url", &url, "--out", "none.tsv"]].concat()).done();
        assert_eq!(dry["body"], Value::String(sent));
        assert!(!dry.to_string().contains(KEY) && !home.file("none.tsv").exists());

        // a second answer of the same lines adds none
        let (url, served) = serve("200 OK", body.to_owned());
        assert_eq!(grow(&home, service, &url, &out).done()["added"], 0);
        served.join().unwrap();
        let shown = home.run(&["corpus", "show", &out]).done();
        assert_eq!((&shown["service"], &shown["region"]), (&service.into(), &"Portugal".into()));
        assert_eq!(shown["topics"][0]["topic"], "coffee");
        assert_eq!(shown["topics"][0]["lines"].as_array().unwrap().len(), lines);
    }
    let of_another = home.file("gemini").display().to_string();
    grow(&home, "deepseek", "http://127.0.0.1:1", &of_another).failed(2, "another region or model");
}

#[test]
fn refusals_and_broken_replies_leave_no_file() {
    let home = Install::new();
    let out = home.file("lines.tsv").display().to_string();
    let cut = &reply!("gemini")[..100];
    for (service, status, body, words) in [
        ("anthropic", "401 Unauthorized", reply!("anthropic-error").to_owned(), "401 (authentication_error)"),
        ("deepseek", "402 Payment Required", reply!("deepseek-error").to_owned(), "402"),
        ("gemini", "200 OK", cut.to_owned(), "published form"),
        ("gemini", "200 OK", "x".repeat(300_000), "larger than"),
        ("gemini", "302 Found", String::new(), "302"),
    ] {
        let (url, served) = serve(status, body);
        let ran = grow(&home, service, &url, &out);
        assert!(!ran.json.to_string().contains(KEY) && !ran.stderr.contains(KEY));
        ran.failed(3, words);
        served.join().unwrap();
        assert!(!home.file("lines.tsv").exists());
    }
    grow(&home, "gemini", "http://127.0.0.1:1", &out).failed(4, "does not answer");
}

#[test]
fn nothing_is_sent_without_a_key_or_for_words_of_ones_own() {
    let home = Install::new();
    let line = ["corpus", "grow", "--model", "gemini", "--out", "x.tsv"];
    let asked = |region, topic| {
        let mut command = command(home.path());
        command.env_remove("GEMINI_API_KEY").args(line).args(["--region", region, "--topic", topic]);
        ended(command.output().unwrap())
    };
    asked("Portugal", "coffee").failed(2, "GEMINI_API_KEY");
    for (region, topic, words) in
        [("Portugal", "coffee with Ana at six", "not in the vocabulary"), ("Rua Ana 5", "coffee", "not in the list")]
    {
        let ran = asked(region, topic);
        assert!(!ran.json.to_string().contains("Ana") && !ran.stderr.contains("Ana"), "{ran:?}");
        ran.failed(2, words);
    }
    let broken = home.write("broken.tsv", "# mosaic corpus 1\n");
    home.run(&["corpus", "show", &broken]).failed(2, "line 2");
    assert!(home.run(&["corpus", "regions"]).done()["regions"].as_array().unwrap().len() > 200);
    let music = home.run(&["corpus", "topics", "--class", "music"]).done();
    assert!(music["topics"].as_array().unwrap().contains(&"jazz".into()));
}
