use super::*;

/// Cuts `text`, pushed in pieces of `piece` bytes: the pieces must never matter.
fn cut_in(text: &[u8], piece: usize) -> Vec<(String, u64, Shape)> {
    let mut cutter = Cutter::new(0, 1, Delimiter::Known(b','));
    let mut cuts = Vec::new();
    let mut drain = |cutter: &mut Cutter| {
        while let Some(cut) = cutter.next_cut() {
            assert_eq!(&text[usize::try_from(cut.offset).unwrap()..][..cut.bytes.len()], cut.bytes);
            cuts.push((String::from_utf8_lossy(cut.bytes).into_owned(), cut.line, cut.shape));
        }
    };
    for bytes in text.chunks(piece) {
        cutter.push(bytes);
        drain(&mut cutter);
    }
    cutter.end();
    drain(&mut cutter);
    cuts
}

fn cut(text: &str) -> Vec<(String, u64, Shape)> {
    let whole = cut_in(text.as_bytes(), usize::MAX);
    for piece in 1..=text.len().clamp(1, 12) {
        assert_eq!(cut_in(text.as_bytes(), piece), whole, "in pieces of {piece}");
    }
    whole
}

fn row(text: &str, line: u64, shape: Shape) -> (String, u64, Shape) {
    (text.to_owned(), line, shape)
}

#[test]
fn every_line_end_counts_once() {
    assert_eq!(
        cut("a,1\nb,2\r\nc,3\rd,4\n\ne,5"),
        [
            row("a,1", 1, Shape::Plain),
            row("b,2", 2, Shape::Plain),
            row("c,3", 3, Shape::Plain),
            row("d,4", 4, Shape::Plain),
            row("", 5, Shape::Plain),
            row("e,5", 6, Shape::Plain),
        ]
    );
}

#[test]
fn a_quoted_newline_is_part_of_its_record_and_lines_stay_physical() {
    assert_eq!(
        cut("a,\"1\n2\r\n3\"\nb,\"x \"\"y\"\"\" ,2\n\"\",\"\""),
        [
            row("a,\"1\n2\r\n3\"", 1, Shape::Quoted),
            row("b,\"x \"\"y\"\"\" ,2", 4, Shape::Quoted),
            row("\"\",\"\"", 5, Shape::Quoted)
        ]
    );
}

#[test]
fn a_quote_amid_a_cell_is_a_character() {
    assert_eq!(cut("5\" pipe,1\nb,2"), [row("5\" pipe,1", 1, Shape::Plain), row("b,2", 2, Shape::Plain)]);
}

#[test]
fn an_unbalanced_quote_costs_its_own_row_alone() {
    for broken in ["a,\"1", "\"a,1", "\"a\"x,1", "\"a\nb\",\"1"] {
        let lines = 1 + broken.matches('\n').count() as u64;
        for rest in ["b,2\nc,3", "b,\"2\"\nc,\"3;4\"", "\"b\",\"2\"\n\"c\",3", "b,\"\"\nc,3"] {
            let text = format!("{broken}\n{rest}\n");
            let cuts = cut(&text);
            assert_eq!(cuts[0], row(broken, 1, Shape::Unbalanced), "{text}");
            let others: Vec<_> = cuts[1..].iter().map(|cut| cut.0.as_str()).collect();
            assert_eq!(others, rest.split('\n').collect::<Vec<_>>(), "{text}");
            assert_eq!(cuts[1].1, 1 + lines, "{text}");
        }
    }
}

#[test]
fn an_unbalanced_quote_at_the_very_end() {
    assert_eq!(cut("a,1\nb,\"2"), [row("a,1", 1, Shape::Plain), row("b,\"2", 2, Shape::Unbalanced)]);
}

#[test]
fn an_endless_quote_or_line_ends_at_the_limit() {
    for open in ["", "\"", "a,\"x\" y"] {
        let long = format!("{open}{}\nb,2\n", "x".repeat(3 * MAX_RECORD_BYTES));
        for piece in [1 << 10, 1 << 16, 1 << 20] {
            let cuts = cut_in(long.as_bytes(), piece);
            assert_eq!(cuts.len(), 2);
            assert_eq!((cuts[0].1, cuts[0].2), (1, Shape::TooLong));
            assert_eq!(cuts[1], row("b,2", 2, Shape::Plain));
        }
    }
}

#[test]
fn a_quote_that_spans_too_many_lines_costs_one_line() {
    let text = format!("a,\"1\n{}", "b,2\n".repeat(MAX_RECORD_BYTES / 2));
    let cuts = cut_in(text.as_bytes(), 1 << 16);
    assert_eq!(cuts[0], row("a,\"1", 1, Shape::Unbalanced));
    assert_eq!(cuts.len(), 1 + MAX_RECORD_BYTES / 2);
}
