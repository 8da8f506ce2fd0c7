use jiff::Timestamp;

use super::*;
use crate::{
    inventory::{NumberFacts, NumberState},
    jobs::JobId,
    user::Name,
};

fn owned(numbers: &[(&str, Option<&str>)]) -> NumberReader {
    let inventory: Vec<_> = numbers
        .iter()
        .map(|(number, provider)| {
            InventoryNumber::new(
                number.parse().unwrap(),
                NumberFacts { provider: provider.map(|text| Name::parse(text).unwrap()), ..NumberFacts::default() },
                Timestamp::UNIX_EPOCH,
            )
        })
        .collect();
    NumberReader::new("IN".parse().unwrap(), &inventory)
}

fn no_inventory() -> NumberReader {
    owned(&[])
}

fn number(text: &str) -> Reading {
    Reading::Number { number: text.parse().unwrap(), unusual: false }
}

fn unusual(text: &str) -> Reading {
    Reading::Number { number: text.parse().unwrap(), unusual: true }
}

const MINE: &str = "+919876543210";

#[test]
fn the_inventory_is_matched_in_every_spelling_of_its_numbers() {
    let mut reader = owned(&[(MINE, Some("DID-77")), ("+911234567", Some("0 11-234567"))]);
    for written in [MINE, "919876543210", "9876543210", "DID-77", " 9876543210 "] {
        assert_eq!(reader.read(written), number(MINE), "{written}");
    }
    assert_eq!(reader.read("0 11-234567"), number("+911234567"));
}

#[test]
fn smartflos_own_sample_numbers_pass_where_they_are_owned() {
    let mut reader = owned(&[("+91987654321", Some("987654321")), ("+91987654320", None)]);
    assert_eq!(reader.read("987654321"), number("+91987654321"));
    assert_eq!(reader.read("987654320"), number("+91987654320"));
    assert_eq!(no_inventory().read("987654321"), Reading::Refused(RowCode::NumberInvalid));
}

#[test]
fn national_digits_that_two_countries_share_go_by_the_accounts_country() {
    let mut reader = owned(&[("+912025550123", None), ("+12025550123", None)]);
    assert_eq!(reader.read("2025550123"), number("+912025550123"));
    assert_eq!(reader.read("+12025550123"), number("+12025550123"));
}

#[test]
fn the_last_ten_digits_are_never_enough() {
    let mut reader = owned(&[("+12025550123", None)]);
    assert_eq!(reader.read("+912025550123"), Reading::Refused(RowCode::NumberNotOwned));
}

#[test]
fn number_not_owned() {
    let mut reader = owned(&[(MINE, None)]);
    assert_eq!(reader.read("9876543211"), Reading::Refused(RowCode::NumberNotOwned));
    assert_eq!(reader.read("1234567890"), Reading::Refused(RowCode::NumberNotOwned));
}

#[test]
fn number_retired() {
    let retired = InventoryNumber::new(
        MINE.parse().unwrap(),
        NumberFacts { state: NumberState::Retired, ..NumberFacts::default() },
        Timestamp::UNIX_EPOCH,
    );
    let mut reader = NumberReader::new("IN".parse().unwrap(), &[retired]);
    for written in [MINE, "9876543210", "'9876543210", "098765 43210"] {
        assert_eq!(reader.read(written), Reading::Refused(RowCode::NumberRetired), "{written}");
    }
}

#[test]
fn a_number_that_a_rotation_is_retiring_is_refused_before_it_is_retired() {
    let mut reserved_by = InventoryNumber::new(MINE.parse().unwrap(), NumberFacts::default(), Timestamp::UNIX_EPOCH);
    reserved_by.reserved_by = JobId::parse(&"0".repeat(32));
    assert!(reserved_by.reserved_by.is_some());
    let mut reader = NumberReader::new("IN".parse().unwrap(), &[reserved_by]);
    assert_eq!(reader.read("9876543210"), Reading::Refused(RowCode::NumberRetired));
}

#[test]
fn numbers_that_others_keep_are_read_whosever_they_are() {
    let facts = NumberFacts {
        state: NumberState::Retired,
        provider: Some(Name::parse("987654321").unwrap()),
        ..NumberFacts::default()
    };
    let retired = InventoryNumber::new("+91987654321".parse().unwrap(), facts, Timestamp::UNIX_EPOCH);
    let mut reader = NumberReader::of_any("IN".parse().unwrap(), &[retired]);
    for written in ["987654321", "+91987654321", "'987654321"] {
        assert!(
            matches!(reader.read(written), Reading::Number { number, .. } if number.digits() == "91987654321"),
            "{written}"
        );
    }
    assert_eq!(reader.read("9876543210"), number(MINE));
    assert_eq!(reader.read("+2100012345"), number("+2100012345"), "no plan has this country code");
    assert_eq!(reader.read("21000"), Reading::Refused(RowCode::NumberInvalid));
    assert_eq!(reader.read("9.8E9"), Reading::Refused(RowCode::NumberScientific));
}

#[test]
fn number_scientific() {
    let mut reader = no_inventory();
    for written in ["9.87654321E8", "9.87654321e+09", "9,87654321E+11", "+9.2E11", "987E7", "٩.٨٧E8", "'9.8E9"] {
        assert_eq!(reader.read(written), Reading::Refused(RowCode::NumberScientific), "{written}");
    }
}

#[test]
fn number_invalid() {
    let mut reader = no_inventory();
    for written in [
        "abc",
        "12",
        "98765",
        "98765432101234567890",
        "call 9876543210",
        "1-800-FLOWERS",
        "9876543210 ext 5",
        "9876543210x5",
        "9876543210,9876543211",
        "9876543210.5",
        "-",
        "+",
        "''",
        "=",
        "#N/A",
        "9876543210\n9876543211",
        "++919876543210",
        "9876+543210",
    ] {
        let reading = reader.read(written);
        assert_eq!(reading, Reading::Refused(RowCode::NumberInvalid), "{written}");
    }
}

#[test]
fn what_spreadsheets_and_keyboards_do_is_undone_and_said() {
    for mut reader in [no_inventory(), owned(&[(MINE, None)])] {
        for written in [
            "9876543210.0",
            "9876543210,00",
            "'+919876543210",
            "'9876543210",
            "=9876543210",
            "=\"9876543210\"",
            "=\"+919876543210\"",
            "98765 43210",
            "98765-43210",
            "(98765) 43210",
            "98.765.43210",
            "98765\u{a0}43210",
            "98765\u{200b}43210",
            "98765\u{2013}43210",
            "०९८७६५४३२१०",
            "९८७६५४३२१०",
            "٩٨٧٦٥٤٣٢١٠",
            "۹۸۷۶۵۴۳۲۱۰",
            "＋919876543210",
            "９８７６５４３２１０",
            "09876543210",
            "00919876543210",
            "+91 98765 43210",
            "tel:+91-98765-43210",
            "TEL:09876543210",
            "tel:+91-98765-43210;ext=12",
            "tel:+91.98765.43210;isub=7",
            "tel:98765-43210;phone-context=+91",
            "tel:0%2098765%2043210;phone-context=%2B91;ext=12",
            "'tel:+919876543210;x=y",
        ] {
            assert_eq!(reader.read(written), unusual(MINE), "{written}");
        }
    }
}

#[test]
fn an_extension_is_refused_where_it_changes_what_is_meant() {
    // Of a caller ID, where the digits together are another of the account's numbers: a direct line.
    let mut reader = owned(&[("+4930901820", None), ("+493090182012", None)]);
    assert_eq!(reader.read("tel:+49-30-901820;ext=12"), Reading::Refused(RowCode::NumberInvalid));
    assert_eq!(reader.read("tel:+49-30-901820;ext=13"), unusual("+4930901820"));
    // Of a number that is dialled, always.
    let mut dialled = NumberReader::of_any("IN".parse().unwrap(), &[]);
    for written in ["tel:+91-98765-43210;ext=12", "tel:+91-98765-43210;isub=7"] {
        assert_eq!(dialled.read(written), Reading::Refused(RowCode::NumberInvalid), "{written}");
    }
    assert_eq!(dialled.read("tel:98765-43210;phone-context=+91"), unusual(MINE));
    for written in ["tel:7042;phone-context=example.com", "tel:7042;phone-context=+91", "tel:", "tel:;ext=1"] {
        assert_eq!(no_inventory().read(written), Reading::Refused(RowCode::NumberInvalid), "{written}");
    }
}

#[test]
fn an_account_without_an_inventory_takes_what_is_valid_in_its_country() {
    let mut reader = no_inventory();
    assert_eq!(reader.read("9876543210"), number(MINE));
    assert_eq!(reader.read("+12025550123"), number("+12025550123"));
    assert_eq!(reader.read("2025550123"), number("+912025550123"));
}

#[test]
fn a_spelling_is_read_the_same_whatever_was_read_before() {
    let inventory = [InventoryNumber::new(MINE.parse().unwrap(), NumberFacts::default(), Timestamp::UNIX_EPOCH)];
    // Each spelling repairs to the one before it, or nearly.
    let spellings = [
        "+4321",
        "+4\u{0}321",
        "'+4321",
        "4321",
        "'4321",
        MINE,
        "9876543210",
        "09876543210",
        "'09876543210",
        "+2100012345",
        "+21 000 12345",
    ];
    for (inventory, any) in [(&[][..], false), (&inventory[..], false), (&[][..], true), (&inventory[..], true)] {
        let reader = || {
            let reader = NumberReader::new("IN".parse().unwrap(), inventory);
            if any { reader.taking_any() } else { reader }
        };
        for before in spellings {
            for written in spellings {
                let mut used = reader();
                used.read(before);
                assert_eq!(used.read(written), reader().read(written), "{written:?} after {before:?}, any: {any}");
            }
        }
    }
}

#[test]
fn the_same_spelling_reads_the_same_twice() {
    let mut reader = owned(&[(MINE, None)]);
    for written in ["98765 43210", "9876543211", "junk", "9.8E9", MINE] {
        assert_eq!(reader.read(written), reader.read(written), "{written}");
    }
}

/// Every spelling of every number in a table, as the order of precedence says: what the packed inventory is looked up for.
fn table(inventory: &[InventoryNumber]) -> HashMap<String, CallerId> {
    let mut table = HashMap::new();
    let mut national = HashMap::<String, Vec<CallerId>>::new();
    let spellings: [fn(&InventoryNumber) -> Option<String>; 3] = [
        |item| Some(item.number.to_string()),
        |item| Some(text::trim(item.facts.provider.as_ref()?.as_str()).to_owned()),
        |item| Some(item.number.digits()),
    ];
    for spelling in spellings {
        for item in inventory {
            enter(&mut table, spelling(item), item.number);
        }
    }
    for item in inventory {
        national.entry(national_digits(item.number).unwrap_or_default()).or_default().push(item.number);
    }
    for (digits, numbers) in national {
        enter(&mut table, (numbers.len() == 1).then_some(digits), numbers[0]);
    }
    table
}

fn enter(table: &mut HashMap<String, CallerId>, spelling: Option<String>, number: CallerId) {
    if let Some(spelling) = spelling {
        table.entry(spelling).or_insert(number);
    }
}

#[test]
fn a_packed_inventory_knows_every_spelling_and_no_other() {
    let numbers = [
        ("+919876543210", None),
        ("+919876543211", Some("9876543210")),
        ("+12025550123", None),
        ("+442025550123", None),
        ("+912025550123", Some(" trunk 7 ")),
        ("+390612345678", None),
        ("+3906123", Some("+919876543210")),
        ("+9198765432", Some("12025550123")),
        ("+8786", None),
        ("+99912345", Some("trunk 7")),
    ];
    let all: Vec<InventoryNumber> = numbers
        .iter()
        .map(|(number, provider)| {
            let provider = provider.map(|text| Name::parse(text).unwrap());
            let facts = NumberFacts { provider, ..NumberFacts::default() };
            InventoryNumber::new(number.parse().unwrap(), facts, Timestamp::UNIX_EPOCH)
        })
        .collect();
    // All of them, and any three, so that each is met with and without what stands in its way.
    let subsets = (0..1_u32 << all.len()).filter(|chosen| chosen.count_ones() <= 3 || chosen.count_ones() == 10);
    for chosen in subsets {
        let some = all.iter().enumerate().filter(|(at, _)| chosen >> at & 1 == 1).map(|(_, item)| item.clone());
        let mut some: Vec<InventoryNumber> = some.collect();
        some.sort_by_key(|item| item.number);
        let (table, reader) = (table(&some), NumberReader::new("IN".parse().unwrap(), &some));
        for (number, provider) in numbers {
            let tails = (1..number.len()).map(|from| &number[from..]);
            for spelling in tails.chain([number]).chain(provider.map(str::trim)) {
                assert_eq!(reader.spelt(spelling), table.get(spelling).copied(), "{spelling} among {chosen:b}");
            }
        }
    }
}
