//! "Up to fifty who are here now within 500 m", of the same million people: the open index, Redis and PostGIS, which read
//! everybody's position, and an agent's whole question of providers that read none.
//!
//! The open index answers over a loopback socket in the protocol of Redis, so one load generator sends both the same
//! bytes and takes answers of the same form. PostGIS is asked by pgbench, over its own protocol and one connection. Rates with one question
//! at a time are mostly the system's sockets; with 64 in flight, and above all in the servers' own processor time, the indexes
//! show.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use super::{
    bench, built, number,
    postgres::Postgres,
    processes::computed_s,
    redis::{Link, Load, Redis, address_of, rate},
};
use crate::{compare::sheet::Sheet, tell::tell};

const PEOPLE: u64 = 1_000_000;
/// Seconds that PostGIS is asked for.
const SECONDS: u64 = 10;
/// People whose surroundings are compared first.
const COMPARED: u64 = 100;
/// Of fifty answers, how many may differ: positions in Redis are rounded to half a metre.
const ROUNDED: usize = 2;

/// Both questions.
#[derive(Clone, Copy)]
enum Question {
    Any,
    Nearest,
}

impl Question {
    const fn name(self) -> &'static str {
        match self {
            Self::Any => "any 50",
            Self::Nearest => "the nearest 50",
        }
    }

    /// The command of Redis, around somebody.
    fn command(self, member: &str) -> Vec<&str> {
        let asked = ["GEOSEARCH", "people", "FROMMEMBER", member, "BYRADIUS", "500", "m"];
        match self {
            Self::Any => [&asked[..], &["COUNT", "50", "ANY"]].concat(),
            Self::Nearest => [&asked[..], &["ASC", "COUNT", "50"]].concat(),
        }
    }

    /// The statement of PostGIS, on the sphere as the others.
    fn statement(self, id: &str) -> String {
        let order = match self {
            Self::Any => "",
            Self::Nearest => "ORDER BY p.place <-> c.place ",
        };
        format!(
            "SELECT n.id FROM (SELECT place FROM people WHERE id = {id}) c, LATERAL (SELECT p.id FROM people p WHERE \
             ST_DWithin(p.place, c.place, 500, false) AND p.until > 1000 {order}LIMIT 50) n"
        )
    }

    /// How many questions show something in a few seconds: Redis looks at all to find the nearest.
    const fn requests(self) -> u64 {
        match self {
            Self::Any => 100_000,
            Self::Nearest => 30_000,
        }
    }
}

/// Adds the rows; `records_a_second` are what an agent fetches over TLS.
pub(super) fn compare(target: &Path, records_a_second: f64, sheet: &mut Sheet) -> Result<()> {
    let folder = target.join("compare");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let people = folder.join("people.csv");
    let program = built("mosaic-provider", "open_index")?;
    tell(&format!("{PEOPLE} people for the open index, Redis and PostGIS"));
    let made = Command::new(&program).args(["points", &PEOPLE.to_string()]).arg(&people).status();
    ensure!(made.context("our bench did not start")?.success(), "no people were made");
    let ours = Served::start(&program, &people)?;
    let redis = Redis::start(&folder.join("redis-people"), Link::Plain)?;
    fill_redis(&redis, &people)?;
    let postgres = Postgres::start()?;
    fill_postgres(&postgres, &people)?;
    tell(&format!("the same answers around {COMPARED} people?"));
    check(&ours, &redis, &postgres, sheet)?;
    tell("questions, one at a time and 64 in flight");
    let mut nearest_s = [0.0; 2];
    for question in [Question::Any, Question::Nearest] {
        nearest_s = race(question, &ours, &redis, &postgres, sheet)?;
    }
    tell("the whole question of an agent");
    whole_question(nearest_s, records_a_second, (&redis.version, &postgres.version()?), sheet)
}

/// What an agent does for the same question, beside what a peer takes for the nearest, one at a time.
fn whole_question(
    [redis_s, postgres_s]: [f64; 2],
    records_a_second: f64,
    (redis, postgres): (&str, &str),
    sheet: &mut Sheet,
) -> Result<()> {
    let told = bench("mosaic-discovery", "question", &[&PEOPLE.to_string(), "--json"])?;
    let line = told.lines().rev().find(|line| line.starts_with('{')).context("our bench printed no figures")?;
    let told: serde_json::Value = serde_json::from_str(line).context("our bench printed something else")?;
    let (read_s, records) = (number(&told, "/whole_s")?, number(&told, "/records")?);
    let whole_s = read_s + records / records_a_second.max(f64::MIN_POSITIVE);
    let work = "the whole question as an agent asks it: a window's million records fetched over TLS, verified, opened, ranked; \
                beside the nearest 50";
    sheet.seconds(work.to_owned(), whole_s, redis_s, &format!("Redis {redis}"));
    sheet.seconds("… beside PostGIS".to_owned(), whole_s, postgres_s, postgres);
    sheet.seconds("… of it verified, opened and ranked, without fetching".to_owned(), read_s, postgres_s, postgres);
    Ok(())
}

/// One question to all three; gives the peers' seconds with one at a time.
fn race(question: Question, ours: &Served, redis: &Redis, postgres: &Postgres, sheet: &mut Sheet) -> Result<[f64; 2]> {
    let name = format!("Redis {}", redis.version);
    let drawn = question.command("__rand_int__");
    let mut peers_s = [0.0; 2];
    for in_flight in [1, 64] {
        let requests = if in_flight == 1 { question.requests() / 3 } else { question.requests() };
        let load = Load { clients: 1, in_flight, requests, members: PEOPLE };
        let measured = |process: u32, port: u16, load: Load| -> Result<(f64, f64)> {
            let before = computed_s(process)?;
            let a_second = rate(&address_of(port), load, &drawn)?;
            Ok((a_second, (computed_s(process)? - before) / load.requests as f64))
        };
        // ours takes more of them in the same time, and processor time is counted in hundredths of a second
        let ours = measured(ours.server.id(), ours.port, Load { requests: requests * 5, ..load })?;
        let theirs = measured(redis.process(), redis.port(), load)?;
        let how = if in_flight == 1 { "one at a time" } else { "64 in flight" };
        let mut add = |theirs: (f64, f64), peer: &str| {
            sheet.rate(format!("{} within 500 m of a million, {how}", question.name()), ours.0, theirs.0, peer);
            sheet.seconds(format!("… processor time of the server for one, {how}"), ours.1, theirs.1, peer);
        };
        add(theirs, &name);
        if in_flight == 1 {
            let postgis = asked_postgres(question, postgres)?;
            add(postgis, &postgres.version()?);
            peers_s = [1.0 / theirs.0, 1.0 / postgis.0];
        }
    }
    Ok(peers_s)
}

/// Questions a second, and the processor time of one.
fn asked_postgres(question: Question, postgres: &Postgres) -> Result<(f64, f64)> {
    let script = std::env::temp_dir().join(format!("mosaic-compare-{}.sql", std::process::id()));
    let text = format!("\\set id random(0, {})\n{};\n", PEOPLE - 1, question.statement(":id"));
    fs::write(&script, text).with_context(|| format!("cannot write {}", script.display()))?;
    let before = computed_s(postgres.process()?)?;
    let done = postgres.load(&script, SECONDS)?;
    let cost = (computed_s(postgres.process()?)? - before) / done.max(1.0);
    let _gone = fs::remove_file(&script);
    Ok((done / SECONDS as f64, cost))
}

/// The open index as a process, ended when dropped.
struct Served {
    server: Child,
    port: u16,
}

impl Served {
    fn start(program: &Path, people: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        let command = command.arg("serve").arg(people).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut server = command.spawn().context("our bench did not start")?;
        let mut line = String::new();
        let out = server.stdout.take().context("our bench has no output")?;
        BufReader::new(out).read_line(&mut line).context("our bench said nothing")?;
        let port = line.trim().parse().context("our bench named no port")?;
        Ok(Self { server, port })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _gone = self.server.kill().and_then(|()| self.server.wait());
    }
}

fn fill_redis(redis: &Redis, people: &Path) -> Result<()> {
    let text = fs::read_to_string(people).with_context(|| format!("cannot read {}", people.display()))?;
    let mut commands = String::with_capacity(text.len() * 2);
    for (id, lat, lng) in text.lines().filter_map(fields) {
        // writing to a string does not fail
        let _written = writeln!(commands, "GEOADD people {lng} {lat} {id:0>12}\r");
    }
    let path = people.with_extension("redis");
    fs::write(&path, commands).with_context(|| format!("cannot write {}", path.display()))?;
    redis.pipe(&path)
}

fn fill_postgres(postgres: &Postgres, people: &Path) -> Result<()> {
    let script: PathBuf = people.with_extension("sql");
    let text = format!(
        "CREATE EXTENSION postgis;\n\
         CREATE TABLE people (id bigint PRIMARY KEY, place geography(Point, 4326) NOT NULL, until bigint NOT NULL);\n\
         CREATE TEMPORARY TABLE raw (id bigint, lat float8, lng float8);\n\
         \\copy raw FROM '{}' CSV\n\
         INSERT INTO people SELECT id, ST_SetSRID(ST_MakePoint(lng, lat), 4326)::geography, 2000 FROM raw;\n\
         CREATE INDEX ON people USING gist (place);\n\
         VACUUM ANALYZE people;\n",
        people.display()
    );
    fs::write(&script, text).with_context(|| format!("cannot write {}", script.display()))?;
    postgres.carry_out(&script)
}

/// `id,lat,lng`.
fn fields(line: &str) -> Option<(&str, &str, &str)> {
    let mut fields = line.split(',');
    Some((fields.next()?, fields.next()?, fields.next()?))
}

/// The nearest fifty must be the same people, but for rounding at the edge; "any" must be fifty of those within reach, which the
/// index's own tests hold against looking at everybody.
fn check(ours: &Served, redis: &Redis, postgres: &Postgres, sheet: &mut Sheet) -> Result<()> {
    for number in 0..COMPARED {
        let id = (number * 7_919) % PEOPLE;
        let member = format!("{id:0>12}");
        let here = asked_redis(ours.port, Question::Nearest, &member)?;
        let peers = [
            ("Redis", asked_redis(redis.port(), Question::Nearest, &member)?),
            ("PostGIS", people_of(&postgres.ask(&Question::Nearest.statement(&id.to_string()))?)),
        ];
        for (peer, theirs) in peers {
            let common = here.intersection(&theirs).count();
            if here.len() != theirs.len() || common + ROUNDED < here.len() {
                sheet.differ(format!(
                    "around {id}: {} here, {} of {peer}, {common} in common",
                    here.len(),
                    theirs.len()
                ));
            }
        }
        let any = [ours.port, redis.port()].map(|port| asked_redis(port, Question::Any, &member).map(|any| any.len()));
        let [ours_any, theirs_any] = any;
        if ours_any? != theirs_any? {
            sheet.differ(format!("around {id}: another number of any"));
        }
    }
    Ok(())
}

fn asked_redis(port: u16, question: Question, member: &str) -> Result<BTreeSet<u64>> {
    let output = Command::new("redis-cli").args(address_of(port)).args(question.command(member)).output();
    Ok(people_of(&String::from_utf8_lossy(&output.context("redis-cli did not start")?.stdout)))
}

/// The numbers of an answer, one a line.
fn people_of(text: &str) -> BTreeSet<u64> {
    text.lines().filter_map(|line| line.trim().trim_matches('"').parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_with_and_without_quotes() {
        assert_eq!(people_of("000000000012\n7\n"), BTreeSet::from([7, 12]));
        assert_eq!(people_of("\"000000000012\"\n"), BTreeSet::from([12]));
        assert_eq!(fields("1,41.1,-8.6"), Some(("1", "41.1", "-8.6")));
        assert_eq!(fields("1,41.1"), None);
    }

    #[test]
    fn both_questions_name_who_is_asked_about() {
        assert!(
            Question::Nearest.statement("9").contains("WHERE id = 9")
                && Question::Nearest.statement("9").contains("ORDER BY")
        );
        assert!(!Question::Any.statement("9").contains("ORDER BY"));
        assert_eq!(Question::Any.command("x").last(), Some(&"ANY"));
    }
}
