//! The style, as a test on the source text: which floor may name which, where printing is allowed,
//! how long a file may be, which words stay out.
//!
//! A rule is a function from one file to findings. Each has a test over the whole tree and a test
//! with made-up snippets that offend and snippets that do not, so that a rule gone blind shows.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use regex::Regex;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The modules of `harness/` by floor. A file names modules of lower floors and its own.
const FLOORS: &[&[&str]] = &[
    &["model", "clock"],
    &["spec", "codec", "wire", "sign"],
    &["emulator", "client", "history", "record"],
    &["check", "generate", "linearize"],
    &["campaign", "report"],
    &["cli", "main"],
];

/// Which module may name a neighbour on its own floor.
const NEIGHBOURS: &[(&str, &str)] = &[
    ("model", "clock"),
    ("spec", "wire"),
    ("spec", "sign"),
    ("codec", "spec"),
    ("codec", "sign"),
    ("codec", "wire"),
    ("sign", "wire"),
    // The client writes down what it did. The emulator never does: a history is what a caller saw.
    ("client", "history"),
    ("record", "history"),
    // A report turns the campaign's events into bytes; the campaign knows no listener.
    ("report", "campaign"),
    // The judge of single calls asks for serial orders of those that overlap.
    ("check", "linearize"),
    ("check", "generate"),
    ("main", "cli"),
];

/// Lower floors that a module stays away from all the same, and why.
const CLOSED: &[(&str, &str, &str)] = &[
    ("check", "client", "a judge reads the history, whoever made it"),
    ("check", "emulator", "a judge that asks the reference would only agree with it"),
    ("linearize", "client", "a judge reads the history, whoever made it"),
    ("linearize", "emulator", "a judge that asks the reference would only agree with it"),
];

/// Vendors that may come; those with a file in `specs/` are read from there.
const VENDORS: &[&str] = &["alibaba", "aliyun", "tencent", "huawei", "volcengine", "aws", "amazon"];

const LONGEST_FILE: usize = 520;
const LONGEST_MAIN: usize = 40;

/// Files that are still too long, and the length that they may not pass. An entry goes when its file
/// is split; none is added.
const TO_SPLIT: &[(&str, usize)] = &[];

/// A source file: its text, and the same text with comments and literals blanked.
struct Source {
    /// Relative to the root of the project, with `/`.
    path: String,
    text: String,
    code: String,
    /// Per line: is it part of a test?
    tests: Vec<bool>,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        let code = blank(text);
        let all = path.starts_with("tests/") || path.ends_with("tests.rs");
        let mut tests = vec![all; text.lines().count() + 1];
        for (from, to) in test_items(&code) {
            tests[line_of(&code, from) - 1..line_of(&code, to)].fill(true);
        }
        // An example in a doc comment is run as a test.
        let mut fenced = false;
        for (at, line) in text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("//")) {
            fenced ^= line.contains("```");
            tests[at] |= fenced;
        }
        Source { path: path.to_owned(), text: text.to_owned(), code, tests }
    }

    /// The top module of `harness/` that the file belongs to; none outside `harness/` and for the map.
    fn module(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("harness/").filter(|inside| *inside != "lib.rs")?;
        inside.split('/').next()?.split('.').next()
    }

    /// How many `super` lead from the top of the file to the root of the crate.
    fn depth(&self) -> usize {
        let inside = self.path.trim_start_matches("harness/").trim_end_matches(".rs");
        let names = inside.split('/').filter(|name| *name != "mod");
        names.count()
    }

    fn finding(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.path)
    }

    /// One finding per line outside tests on which `pattern` is seen in `text`.
    fn product_lines(&self, text: &str, pattern: &str, what: &str) -> Vec<String> {
        let pattern = Regex::new(pattern).unwrap();
        let lines = text.lines().enumerate().filter(|(at, line)| !self.tests[*at] && pattern.is_match(line));
        lines.map(|(at, _)| self.finding(at + 1, what)).collect()
    }
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count()
}

/// The text with every comment, string and character literal blanked and every line kept.
fn blank(text: &str) -> String {
    let literal = concat!(
        r#"(?s)//[^\n]*"#,
        r##"|\bb?r"[^"]*"|\bb?r#".*?"#"##,
        r###"|\bb?r##".*?"##"###,
        r#"|"(?:\\.|[^"\\])*""#,
        r"|'(?:\\.[^'\n]*|[^\\'\n])'",
    );
    let literal = Regex::new(literal).unwrap();
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        // The regex knows no nesting, so block comments are taken by hand wherever one comes first.
        let found = literal.find(rest).map(|found| (found.start(), found.end()));
        let block = rest[..found.map_or(rest.len(), |(start, _)| start)].find("/*");
        let Some((start, end)) = block.map(|at| (at, block_end(rest, at))).or(found) else { break };
        code.push_str(&rest[..start]);
        code.extend(rest[start..end].chars().map(|letter| if letter == '\n' { '\n' } else { ' ' }));
        rest = &rest[end..];
    }
    code + rest
}

fn block_end(text: &str, start: usize) -> usize {
    let edge = Regex::new(r"/\*|\*/").unwrap();
    let mut depth = 0;
    for found in edge.find_iter(&text[start..]) {
        depth = if found.as_str() == "/*" { depth + 1 } else { depth - 1 };
        if depth == 0 {
            return start + found.end();
        }
    }
    text.len()
}

/// Where each item behind `#[cfg(test)]` begins and ends.
fn test_items(code: &str) -> Vec<(usize, usize)> {
    let attribute = Regex::new(r"#\[cfg\((?:test|all\(test\b[^\]]*)\)\]").unwrap();
    attribute.find_iter(code).map(|found| (found.start(), item_end(code, found.end()))).collect()
}

/// The end of the item that starts at `start`: its `;`, or the brace that closes its first one.
fn item_end(code: &str, start: usize) -> usize {
    let mut depth = 0;
    for (at, byte) in code.bytes().enumerate().skip(start) {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' if depth <= 1 => return at,
            b'}' | b')' | b']' => depth -= 1,
            b';' if depth == 0 => return at,
            _ => {}
        }
    }
    code.len()
}

fn floor_of(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// The top modules that the code names, each with the place where it does.
fn named_modules(source: &Source) -> Vec<(usize, String)> {
    let path = Regex::new(r"\b(?:crate|rotaprobe|super(?:\s*::\s*super)*)\s*::\s*").unwrap();
    let inline = Regex::new(r"\bmod\s+\w+\s*\{").unwrap();
    let nested: Vec<_> = inline
        .find_iter(&source.code)
        .map(|found| (found.start(), item_end(&source.code, found.start())))
        .collect();
    let mut named = Vec::new();
    for found in path.find_iter(&source.code) {
        let supers = found.as_str().matches("super").count();
        let around = nested.iter().filter(|(from, to)| (from..to).contains(&&found.start())).count();
        if supers == 0 || supers == source.depth() + around {
            let heads = heads(&source.code[found.end()..]);
            named.extend(heads.into_iter().map(|head| (found.start(), head)));
        }
    }
    named
}

/// The first names of a path or of a `{…}` group of paths.
fn heads(text: &str) -> Vec<String> {
    let word =
        |text: &str| text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let Some(group) = text.strip_prefix('{') else { return vec![word(text)] };
    let (mut depth, mut heads, mut start) = (0_i32, Vec::new(), 0);
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                heads.push(word(&group[start..at]));
                start = at + 1;
                if letter == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    heads.retain(|head: &String| !head.is_empty() && head != "self");
    heads
}

fn floor_rule(source: &Source) -> Vec<String> {
    let Some(own) = source.module() else { return Vec::new() };
    let Some(floor) = floor_of(own) else {
        return vec![source.finding(1, &format!("{own} stands on no floor: give it one in FLOORS"))];
    };
    let mut findings = Vec::new();
    for (at, other) in named_modules(source) {
        let closed = CLOSED.iter().find(|(from, to, _)| *from == own && *to == other);
        let what = match floor_of(&other) {
            _ if other == own => continue,
            None => format!("names {other}, which is no module of a floor: name the module it comes from"),
            Some(_) if let Some((_, _, why)) = closed => {
                format!("{own} must not name {other}: {why}")
            }
            Some(above) if above > floor => {
                format!(
                    "{own} (floor {floor}) must not name {other} (floor {above}): move what both need down"
                )
            }
            Some(same) if same == floor && !NEIGHBOURS.contains(&(own, other.as_str())) => {
                format!("{own} must not name its neighbour {other}: move what both need down a floor")
            }
            Some(_) => continue,
        };
        findings.push(source.finding(line_of(&source.code, at), &what));
    }
    findings
}

/// The map names every module once, in the order of the floors.
fn map_rule(map: &Source, on_disk: &BTreeSet<String>) -> Vec<String> {
    let line = Regex::new(r"(?m)^(?:pub(?:\([a-z]+\))? )?mod (\w+);").unwrap();
    let mut findings = Vec::new();
    let mut highest = 0;
    let mut named = BTreeSet::new();
    for found in line.captures_iter(&map.code) {
        let at = line_of(&map.code, found.get(0).unwrap().start());
        let Some(floor) = floor_of(&found[1]) else {
            findings
                .push(map.finding(at, &format!("{} stands on no floor: give it one in FLOORS", &found[1])));
            continue;
        };
        if floor < highest {
            findings.push(map.finding(at, &format!("{} is out of floor order: move it up", &found[1])));
        }
        highest = highest.max(floor);
        named.insert(found[1].to_owned());
    }
    let missing = on_disk.difference(&named).filter(|module| *module != "main");
    findings
        .extend(missing.map(|module| map.finding(1, &format!("{module} is never compiled: name it here"))));
    findings
}

fn length_rule(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    let longest = match TO_SPLIT.iter().find(|(path, _)| *path == source.path) {
        Some(_) if lines <= LONGEST_FILE => {
            return vec![source.finding(1, "is short enough now: take it out of TO_SPLIT")];
        }
        Some((_, longest)) => *longest,
        None if source.path == "harness/main.rs" => LONGEST_MAIN,
        None => LONGEST_FILE,
    };
    if !source.path.starts_with("harness/") || lines <= longest {
        return Vec::new();
    }
    vec![source.finding(lines, &format!("{lines} lines, {longest} at most: split it by what it knows"))]
}

fn head_rule(source: &Source) -> Vec<String> {
    if !source.path.starts_with("harness/") || source.text.starts_with("//!") {
        return Vec::new();
    }
    vec![source.finding(1, "has no head: begin with `//!` and say what it is and why")]
}

fn vendor_rule(source: &Source, vendors: &BTreeSet<String>) -> Vec<String> {
    if !source.path.starts_with("harness/") {
        return Vec::new();
    }
    let alone = |name: &str| {
        let (first, rest) = name.split_at(1);
        format!("(?i:(?:^|[^a-z0-9]){name}(?:[^a-z0-9]|$))|{}{rest}[A-Z]", first.to_uppercase())
    };
    // A short name is part of ordinary words (`laws`), so it counts only where it stands alone.
    let patterns: Vec<_> = vendors
        .iter()
        .map(|name| if name.len() > 4 { format!("(?i:{name})") } else { alone(name) })
        .collect();
    source.product_lines(
        &source.text,
        &patterns.join("|"),
        "names a vendor: a vendor is data, say it in specs/",
    )
}

fn quiet_rule(source: &Source) -> Vec<String> {
    let hands = ["harness/cli/", "harness/cli.rs", "harness/main.rs"];
    if !source.path.starts_with("harness/") || hands.iter().any(|hand| source.path.starts_with(hand)) {
        return Vec::new();
    }
    let loud = r"\b(?:e?print(?:ln)?|dbg)!|\bstd::env\b|\benv::(?:var|args|current|set)|\bprocess::exit\b";
    source.product_lines(&source.code, loud, "prints, exits or reads the environment: only harness/cli/ does")
}

fn excuse_rule(source: &Source) -> Vec<String> {
    let excuse = r"#!?\[\s*(?:cfg_attr\(.*)?\ballow\s*\(|\b(?:todo|unimplemented)!|#\[\s*ignore\b";
    let excuse = Regex::new(excuse).unwrap();
    let lines = source.code.lines().enumerate().filter(|(_, line)| excuse.is_match(line));
    lines
        .map(|(at, _)| {
            source.finding(at + 1, "finish it, or use `#[expect(…, reason = \"…\")]`; skip no test")
        })
        .collect()
}

fn name_rule(path: &str) -> Option<String> {
    let file = path.rsplit('/').next()?.strip_suffix(".rs")?;
    let vague = ["utils", "util", "common", "types", "imp", "helpers", "misc"].contains(&file);
    (vague || file.starts_with("manager"))
        .then(|| format!("{path}:1: the name says nothing: name the file after what it holds"))
}

/// Paths of one machine and hosts of registries. The patterns are written so as not to match here.
fn machine_rule(path: &str, text: &str) -> Vec<String> {
    let own = [
        concat!(r"(?:^|[^\w./-])/wo", "rk/"),
        concat!(r"(?:^|[^\w./-])/ro", "ot/"),
        concat!(r"crates\.i", "o/api"),
        concat!(r"(?:index|static)\.crates\.i", "o"),
        concat!(r"pypi\.o", "rg"),
        concat!("pythonhosted", r"\.org"),
        concat!(r"registry\.np", "mjs"),
        concat!(r"deb\.deb", r"ian\.org"),
    ];
    let own = Regex::new(&own.join("|")).unwrap();
    let lines = text.lines().enumerate().filter(|(_, line)| own.is_match(line));
    lines
        .map(|(at, _)| format!("{path}:{}: a machine's path or a registry's host: say it without", at + 1))
        .collect()
}

/// The project's files: those that git knows or would take, or all of them where there is no git.
fn files() -> Vec<String> {
    let git = Command::new("git")
        .args(["ls-files", "-z", "-co", "--exclude-standard"])
        .current_dir(ROOT)
        .output()
        .ok();
    let listed = git.filter(|out| out.status.success() && !out.stdout.is_empty()).map(|out| {
        let names = String::from_utf8_lossy(&out.stdout).into_owned();
        names.split_terminator('\0').map(str::to_owned).collect()
    });
    let mut files: Vec<String> = listed.unwrap_or_else(|| {
        let mut found = Vec::new();
        walk(Path::new(ROOT), "", &mut found);
        found
    });
    files.retain(|file| Path::new(ROOT).join(file).is_file());
    files.sort();
    files
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<String>) {
    let made =
        ["target", ".git", ".venv", "__pycache__", ".pytest_cache", "node_modules", "corpus", "artifacts"];
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !made.contains(&name.as_str()) => {
                walk(&entry.path(), &format!("{prefix}{name}/"), found);
            }
            Ok(kind) if kind.is_file() => found.push(format!("{prefix}{name}")),
            _ => {}
        }
    }
}

fn sources() -> Vec<Source> {
    let rust = files().into_iter().filter(|file| file.ends_with(".rs"));
    let sources: Vec<_> = rust
        .map(|file| Source::new(&file, &fs::read_to_string(Path::new(ROOT).join(&file)).unwrap()))
        .collect();
    for file in ["harness/lib.rs", "harness/main.rs", "tests/it/tidy.rs"] {
        assert!(sources.iter().any(|source| source.path == file), "{file} was not found: the walk is wrong");
    }
    sources
}

fn vendors() -> BTreeSet<String> {
    let mut vendors: BTreeSet<String> = VENDORS.iter().map(|name| (*name).to_owned()).collect();
    let vendor = Regex::new(r#"(?m)^vendor:\s*"?([A-Za-z0-9]{3,})"#).unwrap();
    for file in files() {
        let stem = file.strip_prefix("specs/").and_then(|file| file.strip_suffix(".yaml"));
        if let Some(stem) = stem.filter(|stem| !stem.contains('/')) {
            let text = fs::read_to_string(Path::new(ROOT).join(&file)).unwrap();
            vendors.extend(vendor.captures(&text).map(|found| found[1].to_lowercase()));
            vendors.insert(regex::escape(&stem.to_lowercase()));
        }
    }
    vendors
}

#[track_caller]
fn assert_tidy(findings: impl IntoIterator<Item = String>) {
    let findings: Vec<_> = findings.into_iter().collect();
    assert!(findings.is_empty(), "{} untidy:\n{}", findings.len(), findings.join("\n"));
}

/// The rule finds something on just these lines of the made-up file.
#[track_caller]
fn assert_finds(rule: impl Fn(&Source) -> Vec<String>, path: &str, text: &str, lines: &[usize]) {
    let source = Source::new(path, text);
    let findings = rule(&source);
    let found: Vec<usize> =
        findings.iter().map(|finding| finding.split(':').nth(1).unwrap().parse().unwrap()).collect();
    assert_eq!(found, lines, "{findings:?} in\n{text}");
}

#[test]
fn a_file_names_lower_floors_only() {
    assert_tidy(sources().iter().flat_map(floor_rule));
}

#[test]
fn the_floor_rule_sees_every_spelling() {
    let finds = |path, text, lines: &[usize]| assert_finds(floor_rule, path, text, lines);
    finds("harness/model/op.rs", "use crate::spec::Law;\n", &[1]);
    finds("harness/spec/mod.rs", "use crate::{\n  model::{Op, State},\n  emulator::X,\n  wire,\n};\n", &[1]);
    finds("harness/sign/v1.rs", "use super::super::cli::Args;\nuse super::Key;\n", &[1]);
    finds(
        "harness/sign/v1.rs",
        "mod t {\n use super::super::cli;\n use super::super::super::cli;\n}\n",
        &[3],
    );
    finds("harness/history.rs", "use super::check::Rule;\nuse super::wire::Request;\n", &[1]);
    finds("harness/client/mod.rs", "use crate::emulator::X;\nuse crate::history::H;\n", &[1]);
    finds("harness/emulator/mod.rs", "use crate::client::X;\nuse crate::history::H;\n", &[1, 2]);
    finds("harness/check/kinds.rs", "fn f(c: &crate::client::C) {}\nuse crate::history::H;\n", &[1]);
    finds("harness/check/kinds.rs", "use crate::emulator::E;\nuse crate::model::M;\n", &[1]);
    finds("harness/campaign/mod.rs", "use crate::report::R;\nuse crate::emulator::E;\n", &[1]);
    finds("harness/wire/mod.rs", "use crate::Thing;\n", &[1]);
    finds("harness/gadgets/mod.rs", "//! Odd.\n", &[1]);
    finds("harness/main.rs", "//! Runs.\nfn main() { rotaprobe::cli::main() }\n", &[]);
    finds("harness/wire/mod.rs", "// crate::cli\n/* crate::cli /* */ crate::cli */\n", &[]);
    finds("harness/wire/mod.rs", "const A: &str = r#\"crate::cli \"quoted\" \"#;\nuse crate::cli;\n", &[2]);
    finds("harness/wire/mod.rs", "const A: [char; 2] = ['\"', '\\''];\nuse crate::cli; // '\"'\n", &[2]);
    finds("harness/wire/mod.rs", "['\\'','\"', 'a'];\nuse crate::cli; // '\n", &[2]);
    finds("harness/wire/mod.rs", "fn f<'a>(x: &'a str) -> &'a str { \"a\\\"crate::cli\" }\n", &[]);
}

#[test]
fn the_map_names_every_module_in_floor_order() {
    let sources = sources();
    let on_disk: BTreeSet<String> =
        sources.iter().filter_map(|source| source.module().map(str::to_owned)).collect();
    let map = sources.iter().find(|source| source.path == "harness/lib.rs").unwrap();
    assert_tidy(map_rule(map, &on_disk));
}

#[test]
fn the_map_rule_sees_order_strangers_and_orphans() {
    let on_disk = BTreeSet::from(["model", "wire", "main"].map(str::to_owned));
    let finds =
        |text, lines: &[usize]| assert_finds(|map| map_rule(map, &on_disk), "harness/lib.rs", text, lines);
    finds("pub mod model;\npub mod wire;\n", &[]);
    finds("pub mod wire;\npub mod model;\n", &[2]);
    finds("pub mod model;\npub mod wire;\npub mod gadgets;\n", &[3]);
    finds("\npub mod model;\n", &[1]);
}

#[test]
fn files_are_short_and_have_a_head() {
    let sources = sources();
    assert_tidy(sources.iter().flat_map(|source| [length_rule(source), head_rule(source)].concat()));
}

#[test]
fn the_length_and_head_rules_see_long_and_bare_files() {
    let lines = |count: usize| "x\n".repeat(count);
    assert_finds(length_rule, "harness/main.rs", &lines(LONGEST_MAIN), &[]);
    assert_finds(length_rule, "harness/main.rs", &lines(LONGEST_MAIN + 1), &[LONGEST_MAIN + 1]);
    assert_finds(length_rule, "harness/wire/mod.rs", &lines(LONGEST_FILE), &[]);
    assert_finds(length_rule, "harness/wire/mod.rs", &lines(LONGEST_FILE + 1), &[LONGEST_FILE + 1]);
    for (path, longest) in TO_SPLIT {
        assert_finds(length_rule, path, &lines(LONGEST_FILE), &[1]);
        assert_finds(length_rule, path, &lines(*longest), &[]);
        assert_finds(length_rule, path, &lines(longest + 1), &[longest + 1]);
    }
    assert_finds(head_rule, "harness/wire/mod.rs", "// What travels.\n", &[1]);
    assert_finds(head_rule, "harness/wire/mod.rs", "//! What travels.\n", &[]);
}

#[test]
fn a_vendor_is_data() {
    let vendors = vendors();
    assert_tidy(sources().iter().flat_map(|source| vendor_rule(source, &vendors)));
}

#[test]
fn the_vendor_rule_sees_names_outside_tests() {
    let vendors = vendors();
    let finds = |path, text, lines: &[usize]| {
        assert_finds(|source| vendor_rule(source, &vendors), path, text, lines);
    };
    finds("harness/sign/mod.rs", "// as AlibabaCloud does\nconst A: &str = \"aliyun\";\n", &[1, 2]);
    finds(
        "harness/sign/mod.rs",
        "\"aws\"\nAwsClient\nlaws()\n\"AWS4-HMAC-SHA256\"\n\"acs3-hmac-sha256\"\n",
        &[1, 2],
    );
    finds(
        "harness/sign/mod.rs",
        "#[cfg(test)]\nmod tests {\n  \"aws }\"; {}\n  \"aws\";\n}\n\"aws\"\n",
        &[6],
    );
    finds("harness/sign/mod.rs", "#[cfg(test)]\nmod tests;\n\nfn f() { \"aws\" }\n", &[4]);
    finds("harness/sign/mod.rs", "#[cfg(test)]\nfn f(x: [u8; 2]) {\n\"aws\"\n}\n\"aws\"\n", &[5]);
    finds("harness/sign/mod.rs", "//! aws\n//! ```\n//! aws\n//! ```\n//! aws\n", &[1, 5]);
    finds("harness/sign/v1_tests.rs", "\"aws\"\n", &[]);
    finds("tests/it/sdk.rs", "\"aws\"\n", &[]);
}

#[test]
fn only_the_command_line_speaks() {
    assert_tidy(sources().iter().flat_map(quiet_rule));
}

#[test]
fn the_quiet_rule_sees_printing_and_the_environment() {
    let loud =
        "println!();\neprint!();\ndbg!(1);\nstd::env::var(\"A\");\nenv::args();\nstd::process::exit(1);\n";
    assert_finds(quiet_rule, "harness/report/console.rs", loud, &[1, 2, 3, 4, 5, 6]);
    assert_finds(quiet_rule, "harness/cli/check.rs", loud, &[]);
    assert_finds(quiet_rule, "harness/main.rs", loud, &[]);
    let quiet = "writeln!(out)?;\nenv!(\"CARGO_PKG_VERSION\");\n// println!\n#[cfg(test)]\nmod t { fn f() { print!() } }\n";
    assert_finds(quiet_rule, "harness/report/console.rs", quiet, &[]);
}

#[test]
fn nothing_is_excused_or_left_for_later() {
    assert_tidy(sources().iter().flat_map(excuse_rule));
}

#[test]
fn the_excuse_rule_sees_each_excuse() {
    let excuses = "#[allow(dead_code)]\n#![allow(dead_code)]\n#[cfg_attr(test, allow(unused))]\ntodo!()\n\
                   unimplemented!()\n#[ignore]\n#[ignore = \"slow\"]\n";
    assert_finds(excuse_rule, "tests/it/any.rs", excuses, &[1, 2, 3, 4, 5, 6, 7]);
    let fine = "#[expect(dead_code, reason = \"r\")]\nfn allow(x: u8) {}\n\"todo!()\"\n// #[ignore]\n";
    assert_finds(excuse_rule, "tests/it/any.rs", fine, &[]);
}

#[test]
fn file_names_say_what_is_inside() {
    assert_tidy(files().iter().filter_map(|file| name_rule(file)));
}

#[test]
fn the_name_rule_sees_vague_names() {
    for vague in
        ["harness/utils.rs", "harness/spec/types.rs", "tests/it/common.rs", "harness/manager_of_x.rs"]
    {
        assert!(name_rule(vague).is_some(), "{vague}");
    }
    for telling in ["harness/check/idempotency.rs", "harness/imports.rs", "docs/utils.md"] {
        assert!(name_rule(telling).is_none(), "{telling}");
    }
}

#[test]
fn no_file_knows_a_machine() {
    let findings = files().into_iter().flat_map(|file| {
        let bytes = fs::read(Path::new(ROOT).join(&file)).unwrap();
        machine_rule(&file, &String::from_utf8_lossy(&bytes))
    });
    assert_tidy(findings);
}

#[test]
fn the_machine_rule_sees_paths_and_hosts() {
    let found = |line: &str| !machine_rule("README.md", line).is_empty();
    for bad in [
        concat!("cd /wo", "rk/main"),
        concat!("\"/ro", "ot/.cargo\""),
        concat!("https://pypi.o", "rg/simple"),
        concat!("https://registry.np", "mjs.org/x"),
        concat!("https://static.crates.i", "o/crates"),
    ] {
        assert!(found(bad), "{bad}");
    }
    let source = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    for good in [source, "the framework/x", "target/work/x", "/workspace"] {
        assert!(!found(good), "{good}");
    }
}
