//! Go's layouts of time: an example, the second of January 2006 at 15:04:05, says how a time is to be written.

use jiff::Zoned;

/// What each part of the example stands for, longest first among those that begin alike; strftime's letters.
const PARTS: [(&str, &str); 26] = [
    ("January", "%B"),
    ("Jan", "%b"),
    ("Monday", "%A"),
    ("Mon", "%a"),
    ("MST", "%Z"),
    ("2006", "%Y"),
    ("-07:00", "%:z"),
    ("-0700", "%z"),
    (".000000000", ".%9f"),
    (".000000", ".%6f"),
    (".000", ".%3f"),
    ("002", "%j"),
    ("01", "%m"),
    ("02", "%d"),
    ("03", "%I"),
    ("04", "%M"),
    ("05", "%S"),
    ("06", "%y"),
    ("15", "%H"),
    ("PM", "%p"),
    ("pm", "%P"),
    ("1", "%-m"),
    ("_2", "%e"),
    ("2", "%-d"),
    ("3", "%-I"),
    ("4", "%-M"),
];

/// The time as the layout writes it.
pub fn format(time: &Zoned, layout: &str) -> String {
    let mut written = String::new();
    let mut rest = layout;
    while let Some(first) = rest.chars().next() {
        match PARTS.iter().find(|(example, _)| rest.starts_with(example)) {
            Some((example, letters)) => {
                written.push_str(&time.strftime(letters).to_string());
                rest = &rest[example.len()..];
            }
            None if first == '5' => {
                written.push_str(&time.second().to_string());
                rest = &rest[1..];
            }
            None => {
                written.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    #[test]
    fn a_layout_is_written_as_go_writes_it() {
        let time: Timestamp = "2026-03-09T07:05:04.25Z".parse().expect("a time");
        let time = time.to_zoned(TimeZone::UTC);
        for (layout, written) in [
            ("20060102150405", "20260309070504"),
            ("2006-01-02T15:04:05-07:00", "2026-03-09T07:05:04+00:00"),
            ("Mon Jan _2 3:4:5 PM 06", "Mon Mar  9 7:5:4 AM 26"),
            ("2006002.000", "2026068.250"),
            ("v1_2", "v3 9"),
        ] {
            assert_eq!(format(&time, layout), written, "{layout}");
        }
    }
}
