//! Files that no kernel would write: cut anywhere, full of strange numbers, not text at all.

use std::fs;

use super::*;

/// Every parser over the same text.
fn parse_all(text: &str) {
    network::parse(text);
    protocols::parse(text, text, text);
    Sockets::parse(text);
    Cpu::parse(text);
    Pressure::parse(text);
    disks::parse(text);
    Memory::parse(text);
    Process::parse(text, u64::MAX);
}

const REAL: [&str; 8] = [
    include_str!("samples/net/dev"),
    include_str!("samples/net/snmp"),
    include_str!("samples/net/netstat"),
    include_str!("samples/net/sockstat"),
    include_str!("samples/stat"),
    include_str!("samples/pressure/io"),
    include_str!("samples/diskstats"),
    include_str!("samples/self/stat"),
];

#[test]
fn real_files_cut_anywhere() {
    for text in REAL {
        for end in 0..text.len() {
            if text.is_char_boundary(end) {
                parse_all(&text[..end]);
            }
        }
    }
}

#[test]
fn numbers_that_are_none_or_too_large() {
    for number in [
        "18446744073709551615",
        "99999999999999999999999",
        "-1",
        "x",
        "1e9",
        "NaN",
    ] {
        for text in REAL {
            let strange: String = text
                .split_inclusive([' ', '\n'])
                .map(|word| match word.trim().parse::<u64>() {
                    Ok(_) => word.replace(word.trim(), number),
                    Err(_) => word.to_owned(),
                })
                .collect();
            parse_all(&strange);
        }
    }
}

#[test]
fn shapes_that_are_none() {
    for text in [
        "",
        "\n\n\n",
        ":",
        "cpu ",
        "TCP:",
        "TCP: inuse",
        "a:\nb:\n",
        "Tcp: a b c\nTcp: 1\n",
        ") ",
        "()",
        "some avg10= total=",
        "some avg10=inf total=1",
        "MemTotal: kB\nMemAvailable: 1 kB",
        "\u{0}\u{ffff}: 1 2 3 4 5 6 7 8 9 10 11 12",
    ] {
        parse_all(text);
    }
}

#[test]
fn names_without_values_are_not_there() {
    let protocols = protocols::parse("Tcp: CurrEstab RetransSegs\nTcp: 7\n", "", "");
    assert_eq!(protocols.tcp_established, Some(7));
    assert_eq!(protocols.tcp_retransmitted_segments, None);
}

#[test]
fn a_pair_of_lines_that_do_not_belong_together_is_passed_over() {
    let text = "Tcp: CurrEstab\nUdp: 7\nTcp: CurrEstab\nTcp: 9\n";
    assert_eq!(protocols::parse(text, "", "").tcp_established, Some(9));
}

#[test]
fn a_file_that_is_not_text_is_read_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("meminfo"),
        b"\xff\xfe\nMemTotal: 8 kB\nMemAvailable: 4 kB\n",
    )
    .unwrap();
    let sample = HostSampler::at(folder.path()).sample();
    assert_eq!(sample.memory.unwrap().total_bytes, 8192);
}
