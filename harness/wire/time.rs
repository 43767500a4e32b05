//! Points in time as ISO 8601 in UTC. The usual form is written and read here, as every call has several
//! of them; whatever is unusual is left to `jiff`.

const DAY: i64 = 86_400;

/// `2024-01-02T03:04:05Z`; nothing for times beyond the calendar.
pub fn write(seconds: i64) -> Option<String> {
    match plain(seconds) {
        Some(bytes) => Some(bytes.iter().copied().map(char::from).collect()),
        None => Some(jiff::Timestamp::from_second(seconds).ok()?.to_string()),
    }
}

/// The bytes of the usual form; nothing for years that do not have four digits.
fn plain(seconds: i64) -> Option<[u8; 20]> {
    let (days, time) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let (year, month, day) = date(days);
    if !(0..=9_999).contains(&year) {
        return None;
    }
    let mut out = *b"0000-00-00T00:00:00Z";
    let parts = [(0, year / 100), (2, year % 100), (5, month), (8, day)];
    for (at, number) in parts.into_iter().chain([(11, time / 3_600), (14, time / 60 % 60), (17, time % 60)]) {
        out[at] += (number / 10) as u8;
        out[at + 1] += (number % 10) as u8;
    }
    Some(out)
}

/// Unix seconds of a time in any form of ISO 8601 that names its offset; a fraction is cut off.
pub fn read(text: &str) -> Option<i64> {
    let same = |seconds: &i64| plain(*seconds).is_some_and(|bytes| bytes == text.as_bytes());
    let usual = usual(text).filter(same);
    usual.or_else(|| Some(text.parse::<jiff::Timestamp>().ok()?.as_second()))
}

/// The time that a text of the usual form would stand for; what it says is not looked at closely.
fn usual(text: &str) -> Option<i64> {
    let bytes: &[u8; 20] = text.as_bytes().try_into().ok()?;
    let number = |at: std::ops::Range<usize>| {
        bytes[at]
            .iter()
            .try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
    };
    let days = days(number(0..4)?, number(5..7)?, number(8..10)?);
    Some(days * DAY + number(11..13)? * 3_600 + number(14..16)? * 60 + number(17..19)?)
}

/// Year, month and day of a day since 1970. Years begin in March here, so that a leap day ends one.
const fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let civil = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + (civil <= 2) as i64, civil, day - (153 * month + 2) / 5 + 1)
}

/// The day since 1970 of a date.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_and_read_as_jiff_does() {
        let mut rng = fastrand::Rng::with_seed(7);
        let odd = [0, -1, 951_782_400, 4_107_542_399, -62_167_219_200, -62_167_219_201, 253_402_207_200];
        let random = (0..50_000).map(|_| rng.i64(-62_200_000_000..253_402_207_200));
        for seconds in odd.into_iter().chain(random) {
            let plain = jiff::Timestamp::from_second(seconds).unwrap().to_string();
            assert_eq!(write(seconds).as_deref(), Some(plain.as_str()));
            assert_eq!(read(&plain), Some(seconds));
        }
        assert_eq!(write(i64::MAX), None);
    }

    #[test]
    fn unusual_forms_read_as_jiff_reads_them() {
        for text in [
            "2024-01-02T03:04:05.999Z",
            "2024-01-02T03:04:05+08:00",
            "2024-02-30T03:04:05Z",
            "2024-01-02T03:04:60Z",
            "2024-01-02T24:00:00Z",
            "2024-01-02 03:04:05Z",
            "2024-01-02t03:04:05z",
            "2024-01-02T03:04:05",
            "2024-13-02T03:04:05Z",
            "٣024-01-02T03:04:5Z",
            "",
        ] {
            let plain = text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second);
            assert_eq!(read(text), plain, "{text}");
        }
    }
}
