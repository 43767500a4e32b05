//! Ways to answer badly, below the level of the API: what a client meets when a proxy, a crash or an
//! attacker stands where the endpoint should be.
//!
//! A [`Script`] says which bytes go out, how fast, and how the connection ends; the server shell plays
//! it. All of it is deterministic, bounded, and ends when the server is told to stop.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::http1::write_head;
use crate::wire::Response;

/// How long a slow drip waits between two bytes.
const DRIP: Duration = Duration::from_millis(100);
/// A drip's body has at least so many bytes: ten minutes of it.
const DRIP_BODY: usize = 6000;
/// Where an endless body, or the expansion of a small one, ends after all.
const GIANT: u64 = 1 << 30;

/// A way to answer badly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hostile {
    /// One byte every 100 ms, for ten minutes at least.
    SlowDrip,
    /// The connection is reset (RST) instead of an answer.
    Reset,
    /// Half of the announced body, then the connection closes.
    TruncatedBody,
    /// The whole body under a `Content-Length` that is larger by ten, then the connection closes.
    WrongLength,
    /// A body without announced length that goes on for 1 GiB.
    GiantBody,
    /// A gzip body of 1 MB that expands to 1 GiB.
    GzipBomb,
    /// A redirect to the very URL that was asked.
    RedirectLoop,
    /// Bytes that are no HTTP.
    Garbage,
    /// No answer at all, on a connection that stays open.
    Silence,
}

impl Hostile {
    /// Every way with its name, in the order of the enum.
    pub const ALL: [(Self, &'static str); 9] = [
        (Self::SlowDrip, "slow-drip"),
        (Self::Reset, "reset"),
        (Self::TruncatedBody, "truncated-body"),
        (Self::WrongLength, "wrong-length"),
        (Self::GiantBody, "giant-body"),
        (Self::GzipBomb, "gzip-bomb"),
        (Self::RedirectLoop, "redirect-loop"),
        (Self::Garbage, "garbage"),
        (Self::Silence, "silence"),
    ];
}

impl fmt::Display for Hostile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::ALL.iter().find(|(way, _)| way == self).map_or("", |(_, name)| name))
    }
}

/// A name that is none of [`Hostile::ALL`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no hostile answer is called `{0}`: use one of {names}", names = Hostile::ALL.map(|(_, name)| name).join(", "))]
pub struct UnknownHostile(pub String);

impl FromStr for Hostile {
    type Err = UnknownHostile;

    fn from_str(name: &str) -> Result<Self, UnknownHostile> {
        let found = Self::ALL.iter().find(|(_, known)| *known == name);
        found.map(|(way, _)| *way).ok_or_else(|| UnknownHostile(name.to_owned()))
    }
}

/// What a service answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A reply, as HTTP says.
    Reply(Response),
    /// A reply that goes out badly.
    Hostile(Response, Hostile),
}

/// What happens on the socket, in this order: `bytes`, then `filler` spaces, then the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The bytes that come first.
    pub bytes: Vec<u8>,
    /// The pause before each single byte; none: as fast as the peer reads.
    pub pace: Option<Duration>,
    /// How many spaces follow.
    pub filler: u64,
    /// How it ends.
    pub end: End,
}

/// How a scripted connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It closes in good order (FIN).
    Close,
    /// It is torn down (RST).
    Reset,
    /// It stays open until the peer or the server's stop ends it.
    Hold,
}

impl Hostile {
    /// How this way carries out `response`, the reply to a request for `target`.
    pub fn script(self, response: &Response, target: &str) -> Script {
        let script = |bytes| Script { bytes, pace: None, filler: 0, end: End::Close };
        match self {
            Self::SlowDrip => {
                let mut body = response.body.clone();
                // JSON and XML both allow spaces at the end: the reply would be right if it ever ended.
                body.resize(body.len().max(DRIP_BODY), b' ');
                Script { pace: Some(DRIP), ..script(reply(response, &[], Some(body.len()), &body)) }
            }
            Self::Reset => Script { end: End::Reset, ..script(Vec::new()) },
            Self::TruncatedBody => {
                let length = response.body.len().max(2);
                let half = &response.body[..response.body.len().min(length / 2)];
                script(reply(response, &[], Some(length), half))
            }
            Self::WrongLength => script(reply(response, &[], Some(response.body.len() + 10), &response.body)),
            Self::GiantBody => Script { filler: GIANT, ..script(reply(response, &[], None, &response.body)) },
            Self::GzipBomb => {
                let bomb = gzip_bomb();
                script(reply(response, &[("content-encoding", "gzip")], Some(bomb.len()), bomb))
            }
            Self::RedirectLoop => {
                let moved = Response { status: 302, ..response.clone() };
                script(reply(&moved, &[("location", target)], Some(moved.body.len()), &moved.body))
            }
            Self::Garbage => script(garbage()),
            Self::Silence => Script { end: End::Hold, ..script(Vec::new()) },
        }
    }
}

/// The reply's bytes with that length and body instead of its own.
fn reply(response: &Response, more: &[(&str, &str)], length: Option<usize>, body: &[u8]) -> Vec<u8> {
    let mut headers = response.headers.clone();
    headers.remove("content-length");
    headers.set("connection", "close");
    for (name, value) in more {
        headers.set(name, *value);
    }
    if let Some(length) = length {
        headers.set("content-length", length.to_string());
    }
    // A status without a body would hide what goes wrong in the body.
    let status = if matches!(response.status, 100..=199 | 204 | 304) { 200 } else { response.status };
    let mut out = Vec::with_capacity(body.len() + 512);
    write_head(status, &headers, &mut out);
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
    out
}

/// Bytes that look random; the first can begin no HTTP reply.
fn garbage() -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(0x6761_7262);
    let mut bytes: Vec<u8> = (0..512).map(|_| random.u8(..)).collect();
    bytes[0] |= 0x80;
    bytes
}

/// A gzip member of 1 GiB of zeros, built once.
///
/// One dynamic deflate block (RFC 1951) in which "258 bytes as one before" takes two zero bits: the
/// densest that deflate can be, so the file is a short head, a megabyte of zero bits, and a tail.
fn gzip_bomb() -> &'static [u8] {
    static BOMB: OnceLock<Vec<u8>> = OnceLock::new();
    BOMB.get_or_init(|| {
        let mut bits = Bits { bytes: b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec(), length: 80 };
        bits.number(1, 1); // the last block
        bits.number(2, 2); // with its own codes
        bits.number(286 - 257, 5); // literals and lengths 0 to 285
        bits.number(0, 5); // one distance
        bits.number(18 - 4, 4); // lengths of the 18 first code-length codes, in the RFC's order:
        for length in [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2] {
            bits.number(length, 3); // symbol 18 (a run of zeros) is 0, symbol 1 is 10, symbol 2 is 11
        }
        let zeros = |bits: &mut Bits, count: u32| {
            bits.code("0");
            bits.number(count - 11, 7);
        };
        bits.code("11"); // literal 0 has two bits
        zeros(&mut bits, 138);
        zeros(&mut bits, 117);
        bits.code("11"); // so has 256, the end
        zeros(&mut bits, 28);
        bits.code("10"); // 285, a length of 258, has one
        bits.code("10"); // so has the only distance
        // Now literal 0 is 10, the end is 11, and 258 bytes at distance one are 0 and 0.
        bits.code("10");
        bits.zeros(2 * ((GIANT - 1) / 258) as usize);
        for _ in 0..(GIANT - 1) % 258 {
            bits.code("10");
        }
        bits.code("11");
        let mut bytes = bits.bytes;
        bytes.extend_from_slice(&crc32_of_zeros(GIANT).to_le_bytes());
        bytes.extend_from_slice(&(GIANT as u32).to_le_bytes());
        bytes
    })
}

/// Bits in deflate's order: each byte fills from its lowest bit.
struct Bits {
    bytes: Vec<u8>,
    length: usize,
}

impl Bits {
    fn push(&mut self, bit: bool) {
        self.zeros(1);
        if bit && let Some(last) = self.bytes.last_mut() {
            *last |= 1 << ((self.length - 1) % 8);
        }
    }

    fn zeros(&mut self, count: usize) {
        self.length += count;
        self.bytes.resize(self.length.div_ceil(8), 0);
    }

    /// Numbers go in from the lowest bit.
    fn number(&mut self, value: u32, count: u32) {
        (0..count).for_each(|at| self.push(value >> at & 1 == 1));
    }

    /// Codes go in from the first bit.
    fn code(&mut self, digits: &str) {
        digits.bytes().for_each(|digit| self.push(digit == b'1'));
    }
}

/// CRC-32 of that many zero bytes in 64 steps: a zero byte multiplies the register by x^8.
fn crc32_of_zeros(count: u64) -> u32 {
    // Bit 31 stands for x^0; multiplication modulo the polynomial.
    let times = |a: u32, mut b: u32| {
        let mut product = 0;
        for bit in (0..32).rev() {
            if a >> bit & 1 == 1 {
                product ^= b;
            }
            b = if b & 1 == 1 { b >> 1 ^ 0xEDB8_8320 } else { b >> 1 };
        }
        product
    };
    let mut register = u32::MAX;
    let mut power = 1 << 23;
    for bit in 0..64 {
        if count >> bit & 1 == 1 {
            register = times(register, power);
        }
        power = times(power, power);
    }
    !register
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Headers;

    fn sample(body: &str) -> Response {
        let mut headers = Headers::new();
        headers.add("Content-Length", "77");
        Response { status: 200, headers, body: body.into() }
    }

    fn text(way: Hostile, body: &str) -> String {
        String::from_utf8(way.script(&sample(body), "/?a=b").bytes).unwrap()
    }

    #[test]
    fn names_are_the_same_everywhere() {
        let mut last = None;
        for (way, name) in Hostile::ALL {
            assert_eq!(way.to_string(), name);
            assert_eq!(name.parse(), Ok(way));
            assert_eq!(serde_json::to_value(way).unwrap(), name);
            assert!(last < Some(way), "{name} is out of order");
            last = Some(way);
        }
        let error = "slowdrip".parse::<Hostile>().unwrap_err().to_string();
        assert!(error.contains("`slowdrip`") && error.contains("slow-drip, reset"), "{error}");
    }

    #[test]
    fn bodies_are_as_short_as_their_lengths_are_wrong() {
        let truncated = text(Hostile::TruncatedBody, "{\"a\":1}");
        assert!(
            truncated.contains("content-length: 7\r\n") && truncated.ends_with("\r\n\r\n{\"a"),
            "{truncated}"
        );
        let empty = text(Hostile::TruncatedBody, "");
        assert!(empty.contains("content-length: 2\r\n") && empty.ends_with("\r\n\r\n"), "{empty}");
        let wrong = text(Hostile::WrongLength, "{}");
        assert!(wrong.contains("content-length: 12\r\n") && wrong.ends_with("\r\n\r\n{}"), "{wrong}");
        assert!(!wrong.contains("77"), "{wrong}");
    }

    #[test]
    fn endless_bodies_are_bounded_and_not_announced() {
        let giant = Hostile::GiantBody.script(&sample("{}"), "/");
        assert_eq!((giant.filler, giant.end), (1 << 30, End::Close));
        assert!(!text(Hostile::GiantBody, "{}").to_lowercase().contains("content-length"));
        let drip = Hostile::SlowDrip.script(&sample("{}"), "/");
        assert!(drip.bytes.len() > 6000 && drip.pace == Some(Duration::from_millis(100)));
        assert!(text(Hostile::SlowDrip, "{}").contains("content-length: 6000\r\n"));
    }

    #[test]
    fn a_redirect_names_the_url_it_came_from() {
        let redirect = text(Hostile::RedirectLoop, "{}");
        assert!(redirect.starts_with("HTTP/1.1 302 Found\r\n") && redirect.contains("location: /?a=b\r\n"));
    }

    #[test]
    fn garbage_is_no_http_and_always_the_same() {
        let garbage = Hostile::Garbage.script(&sample(""), "/");
        assert_eq!(garbage, Hostile::Garbage.script(&sample("x"), "/y"));
        assert!(!garbage.bytes[0].is_ascii() && garbage.bytes.len() == 512);
    }

    #[test]
    fn the_checksum_of_zeros_agrees_with_published_ones() {
        assert_eq!(crc32_of_zeros(0), 0);
        assert_eq!(crc32_of_zeros(1), 0xD202_EF8D);
        assert_eq!(crc32_of_zeros(4), 0x2144_DF1C);
        assert_eq!(crc32_of_zeros(32), 0x190A_55AD);
    }

    #[test]
    fn the_bomb_is_small_and_expands_to_all_it_promises() {
        let bomb = gzip_bomb();
        assert!(bomb.len() < 1 << 20, "{}", bomb.len());
        let mut decoder = flate2::bufread::GzDecoder::new(bomb);
        // Reading to the end also checks length and checksum.
        assert_eq!(std::io::copy(&mut decoder, &mut std::io::sink()).unwrap(), 1 << 30);
        assert_eq!(decoder.into_inner(), b"");
    }
}
