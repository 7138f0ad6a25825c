//! The open index as a server: what somebody would run who trusts its operator with everybody's position, over a socket on the
//! loopback interface. It speaks the protocol of Redis, so that one load generator asks both the same bytes; what differs is
//! the index. `cargo xtask compare provider` starts it.
//!
//! ```sh
//! cargo bench --locked -p mosaic-provider --bench open_index -- points 1000000 FILE   # id,lat,lng of so many people
//! cargo bench --locked -p mosaic-provider --bench open_index -- serve FILE            # prints its port; ends with its input
//! cargo bench --locked -p mosaic-provider --bench open_index -- ask FILE              # questions without a socket, as JSON
//! ```

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and ends at the first surprise")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use std::{
    env, fs,
    hint::black_box,
    io::{self, BufWriter, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::Instant,
};

use mosaic_geo::{Entry, Near, OpenIndex, offset_m};
use mosaic_types::{LatLng, Timestamp};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;

/// The middle of the square that people are in, and half its side: 625 people a square kilometre, 490 within 500 m.
const MIDDLE: (f64, f64) = (41.15, -8.62);
const HALF_M: f64 = 20_000.0;
/// Everybody is here now, until later.
const NOW: Timestamp = Timestamp::from_secs(1_000);
/// A fifth of the reach that is asked for.
const SIDE_M: f64 = 100.0;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["points", count, file] => points(count.parse().unwrap(), file),
        ["serve", file] => serve(file),
        ["ask", file] => ask(file),
        // cargo bench without a word about it
        _ => println!("open_index: points COUNT FILE, serve FILE or ask FILE"),
    }
}

/// People spread evenly over the square.
fn points(count: u64, file: &str) {
    let mut rng = ChaCha20Rng::seed_from_u64(11);
    let middle = LatLng::new(MIDDLE.0, MIDDLE.1).unwrap();
    let mut out = BufWriter::new(fs::File::create(file).unwrap());
    for id in 0..count {
        let at = offset_m(middle, rng.random_range(-HALF_M..HALF_M), rng.random_range(-HALF_M..HALF_M));
        writeln!(out, "{id},{:.7},{:.7}", at.lat(), at.lng()).unwrap();
    }
    out.flush().unwrap();
}

fn load(file: &str) -> OpenIndex {
    let mut index = OpenIndex::new(SIDE_M).unwrap();
    for line in fs::read_to_string(file).unwrap().lines() {
        let mut fields = line.split(',');
        let mut next = || fields.next().unwrap();
        let id = next().parse().unwrap();
        let position = LatLng::new(next().parse().unwrap(), next().parse().unwrap()).unwrap();
        index
            .insert(Entry { id, position, from: Timestamp::from_secs(0), until: Timestamp::from_secs(2_000) })
            .unwrap();
    }
    index
}

/// What one question takes without a socket, and how long the index took to fill, in seconds.
fn ask(file: &str) {
    const QUESTIONS: u32 = 200_000;
    let begun = Instant::now();
    let index = load(file);
    let filled = begun.elapsed().as_secs_f64();
    let mut rng = ChaCha20Rng::seed_from_u64(12);
    let people = index.len() as u64;
    let asked: Vec<LatLng> = (0..QUESTIONS).map(|_| index.get(rng.random_range(0..people)).unwrap().position).collect();
    let mut found = Vec::new();
    let mut seconds = |nearest: bool| {
        let begun = Instant::now();
        for from in &asked {
            if nearest {
                index.nearest(*from, 500.0, NOW, 50, &mut found);
            } else {
                index.any(*from, 500.0, NOW, 50, &mut found);
            }
            black_box(&found);
        }
        begun.elapsed().as_secs_f64() / f64::from(QUESTIONS)
    };
    let (any, nearest) = (seconds(false), seconds(true));
    println!("{}", serde_json::json!({ "people": people, "fill_s": filled, "any_s": any, "nearest_s": nearest }));
}

/// Serves until the standard input ends: a thread for each connection, as there is one connection.
fn serve(file: &str) {
    let index = Arc::new(load(file));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    io::stdout().flush().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let index = Arc::clone(&index);
            // who goes away in the middle of a question ends its own thread
            thread::spawn(move || converse(stream, &index));
        }
    });
    let _ended = io::stdin().read_to_end(&mut Vec::new());
}

/// Answers whatever has come before it reads again, as Redis does.
fn converse(mut stream: TcpStream, index: &OpenIndex) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut held, mut answers, mut found) = (Vec::new(), Vec::new(), Vec::new());
    let mut buffer = vec![0; 16 << 10];
    loop {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        held.extend_from_slice(&buffer[..count]);
        let mut done = 0;
        while let Some((words, length)) = command(&held[done..]) {
            answer(&words, index, &mut found, &mut answers);
            done += length;
        }
        held.drain(..done);
        stream.write_all(&answers)?;
        answers.clear();
    }
}

/// The words of the first command, an array of bulk strings, and its length; `None` while it is not whole.
fn command(bytes: &[u8]) -> Option<(Vec<&[u8]>, usize)> {
    let mut at = 0;
    let count = number(bytes, &mut at, b'*')?;
    let mut words = Vec::with_capacity(count);
    for _ in 0..count {
        let length = number(bytes, &mut at, b'$')?;
        words.push(bytes.get(at..at + length)?);
        at += length + 2;
    }
    (at <= bytes.len()).then_some((words, at))
}

/// The number of a line such as `$12`.
fn number(bytes: &[u8], at: &mut usize, kind: u8) -> Option<usize> {
    let line = bytes.get(*at..)?;
    let end = line.iter().position(|byte| *byte == b'\r')?;
    assert_eq!(line[0], kind, "the load generator speaks otherwise");
    *at += end + 2;
    text(&line[1..end])
}

fn text<T: std::str::FromStr>(bytes: &[u8]) -> Option<T> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// GEOSEARCH key FROMMEMBER id BYRADIUS metres m, then either ASC COUNT n or COUNT n ANY.
fn answer(words: &[&[u8]], index: &OpenIndex, found: &mut Vec<Near>, answers: &mut Vec<u8>) {
    match words {
        [b"GEOSEARCH", _, b"FROMMEMBER", id, b"BYRADIUS", metres, b"m", how @ ..] => {
            let (id, metres) = (text(id).unwrap(), text(metres).unwrap());
            let from = index.get(id).unwrap().position;
            match how {
                [b"ASC", b"COUNT", most] => index.nearest(from, metres, NOW, text(most).unwrap(), found),
                [b"COUNT", most, b"ANY"] => index.any(from, metres, NOW, text(most).unwrap(), found),
                _ => panic!("another question"),
            }
            write!(answers, "*{}\r\n", found.len()).unwrap();
            for near in found.iter() {
                answers.extend_from_slice(b"$12\r\n");
                answers.extend_from_slice(&digits(near.id));
                answers.extend_from_slice(b"\r\n");
            }
        }
        [b"PING", ..] => answers.extend_from_slice(b"+PONG\r\n"),
        // what redis-benchmark asks before it begins
        _ => answers.extend_from_slice(b"*0\r\n"),
    }
}

/// Twelve digits, as redis-benchmark writes its numbers.
fn digits(mut id: u64) -> [u8; 12] {
    let mut digits = [b'0'; 12];
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(id % 10).unwrap();
        id /= 10;
    }
    digits
}
