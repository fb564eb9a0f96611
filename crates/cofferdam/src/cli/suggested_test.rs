//! What is offered is not all that may be typed.

use clap::Parser;
use drill::load::Distribution;

use super::*;

#[derive(Debug, Parser)]
struct Holder {
    #[arg(long, value_parser = Suggested::<Distribution>::of(&["uniform", "zipf"]))]
    distribution: Distribution,
}

fn read(word: &str) -> Result<Distribution, Error> {
    Holder::try_parse_from(["x", "--distribution", word]).map(|holder| holder.distribution)
}

#[test]
fn other_words_are_read_and_wrong_ones_explained() {
    assert_eq!(read("zipf:1.5").unwrap(), Distribution::Zipf(1.5));
    let error = read("normal").unwrap_err();
    assert_eq!(error.exit_code(), 2);
    let told = error.to_string();
    assert!(
        told.contains("'--distribution <DISTRIBUTION>'") && told.contains("zipf:THETA"),
        "{told}"
    );
}
