//! What holds for every file and every directory.

use super::*;

/// Text of every kind that a person, a spreadsheet or an attacker puts into a name.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z ]{1,12}",
        "[=+@'-]{1,3}[A-Za-z0-9;,\"]{1,8}",
        "[a-z,\"'\n\r;|\t=+@é😀اب\u{200f}\u{a0}-]{1,16}",
        "=cmd\\|' /C calc'!A[0-9]",
    ]
}

prop_compose! {
    fn somebody()(
        login in text(), name in text(), designation in prop::option::of(text()),
        phone in prop::option::of(1_000_u64..999_999_999_999_999), email in prop::option::of("[a-z+=']{1,6}@[a-zé]{1,5}\\.example"),
        refs in prop::collection::vec(prop::option::of("[A-Za-z=+@'é😀-]{1,6}"), 5),
        flags in prop::collection::vec(any::<bool>(), 2), status in 0..3_usize,
    ) -> Option<User> {
        let id = |at: usize| refs[at].as_deref().and_then(|id| Ref::parse(id).ok());
        let mut user = User::new(LoginId::parse(&login).ok()?, Profile::of(Name::parse(&name).ok()?));
        let profile = &mut user.profile;
        profile.designation = designation.and_then(|text| Name::parse(&text).ok());
        profile.call_forward_number = phone.and_then(|digits| CallerId::from_digits(&digits.to_string()).ok());
        profile.default_caller_id = profile.call_forward_number.filter(|_| flags[0]);
        profile.email = email.and_then(|email| EmailAddress::parse(&email).ok());
        (profile.department, profile.team, profile.role) = (id(0), id(1), id(2));
        profile.extension = id(3).map(|login| Extension { intercom: login.clone(), login, caller_id: None, registrations: 3, active: false });
        profile.calling_agent = flags[0];
        user.agent_status = [AgentStatus::Enabled, AgentStatus::Disabled, AgentStatus::Blocked][status];
        user.web_login = if flags[1] { WebLogin::Blocked } else { WebLogin::Active };
        Some(user)
    }
}

/// A login ID or a name as programs spell them.
fn spelled() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "[a-cA-C]{1,2}",
        "[éσςß0-9]{1,3}",
        text(),
        Just("NULL".to_owned()),
        Just("#N/A".to_owned()),
        Just("9.1E+11".to_owned())
    ];
    in_some_way(word)
}

/// A word in one of the ways in which programs spell it.
fn in_some_way(word: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (word, 0..9).prop_map(|(word, way)| match way {
        0 => format!("\u{a0}{word}\u{200b}"),
        1 => format!("=\"{word}\""),
        2 => format!("'{word}"),
        3 => format!("“{word}”"),
        4 => word.to_uppercase(),
        5 => icu_normalizer::DecomposingNormalizer::new_nfd().normalize(&word).into_owned(),
        6 => word.chars().flat_map(|c| [c, '\u{2060}']).collect(),
        _ => word,
    })
}

/// The columns whose text is stored.
const STORED: [usize; 7] = [LOGIN, NAME, DESIGNATION, EMAIL, DEPARTMENT, TEAM, EXTENSION];

/// A row of them. Most have a login ID that others of the file have too, in whatever spelling.
fn stored_cells() -> impl Strategy<Value = [String; 7]> {
    let optional = || prop_oneof![Just(String::new()), spelled()];
    let email = prop_oneof![
        Just(String::new()),
        "[a-c]{1,2}@[a-c]{1,2}",
        spelled().prop_map(|word| format!("{word}@example.com")),
        "<[a-c]@x>\u{200b}",
    ];
    // Few words, so that rows of a file are about the same user.
    let few = prop::sample::select(vec!["josé", "straße", "ΑΣ", "user1", "front desk"]).prop_map(str::to_owned);
    let login = prop_oneof![4 => in_some_way(few), 1 => spelled()];
    (login, spelled(), optional(), email, optional(), optional(), optional()).prop_map(
        |(login, name, designation, email, department, team, extension)| {
            [login, name, designation, email, department, team, extension]
        },
    )
}

/// A cell without white space around it, and without apostrophes that keep formulas from being reckoned: of neither is there anything to say.
fn bare(cell: &str) -> String {
    let mut bare = String::new();
    let mut rest = rollcall_tabular::text::trim(cell).chars().peekable();
    while let Some(c) = rest.next() {
        let guards = c == '\'' && rest.peek().is_some_and(|next| !next.is_alphanumeric());
        if !guards {
            bare.push(c);
        }
    }
    rollcall_tabular::text::trim(&bare).to_owned()
}

/// A text as a person reads it: without what nobody sees, with one kind of blank and of every letter. Told in another way than the product does.
fn as_read(text: &str) -> String {
    let seen: String =
        text.chars().filter(|&c| c.is_whitespace() || !rollcall_tabular::text::is_invisible(c)).collect();
    let upper = icu_normalizer::ComposingNormalizer::new_nfkc().normalize(&seen).to_uppercase().to_lowercase();
    upper.split_whitespace().collect::<Vec<_>>().join(" ")
}

proptest! {
    /// **For any file**, what is stored for a user is text that stood in one of its rows, in that column, or that such a row is said to have been
    /// read as; and no two users read alike.
    #[test]
    fn what_is_stored_stood_in_the_file_or_is_said_to_be_normalised(rows in prop::collection::vec(stored_cells(), 1..8)) {
        let mut csv = Writer::new(b',');
        csv.record(STORED.map(|column| COLUMNS[column].name));
        for row in &rows {
            csv.record(row.iter().map(String::as_str));
        }
        let mut directory = Directory::default();
        let ran = run_with(&csv.take(), &mut directory, &Catalog::default());
        for (key, user) in &directory.users {
            let is_of = |row: &[String; 7]| LoginId::parse(&row[0]).is_ok_and(|login| login.folded() == key.as_str());
            let own: Vec<usize> = (0..rows.len()).filter(|&at| is_of(&rows[at])).collect();
            for (place, column) in STORED.into_iter().enumerate() {
                let stored = super::cell(user, column);
                let stood = own.iter().any(|&at| bare(&rows[at][place]) == bare(&stored));
                let said = (Warning::Normalized.as_str().to_owned(), COLUMNS[column].name.to_owned());
                let said = own.iter().any(|&at| ran.said[at].contains(&said));
                prop_assert!(stored.is_empty() || stood || said, "{}: {stored:?} of {rows:?}", COLUMNS[column].name);
            }
        }
        let read: Vec<String> = directory.users.values().map(|user| as_read(user.login.as_str())).collect();
        let distinct: std::collections::HashSet<&String> = read.iter().collect();
        prop_assert_eq!(distinct.len(), read.len(), "two users read alike: {:?}", read);
    }

    #[test]
    fn a_download_dropped_again_is_unchanged_and_writes_nothing(people in prop::collection::vec(somebody(), 1..8)) {
        let mut seen = std::collections::HashSet::new();
        let mut unique = |user: &User| user.claims().into_iter().all(|claim| seen.insert(claim));
        let mut directory = Directory::with(people.into_iter().flatten().filter(|user| unique(user)));
        prop_assume!(!directory.users.is_empty());
        let mut csv = Writer::new(b',');
        write_header(&mut csv);
        directory.users.values().for_each(|user| write_user(&mut csv, user));
        let before = directory.users.clone();

        let ran = run_with(&csv.take(), &mut directory, &Catalog::default());
        prop_assert_eq!(ran.counts.unchanged, before.len() as u64, "{:?}", ran.rows);
        prop_assert_eq!(directory.writes, 0);
        prop_assert_eq!(directory.users, before);
    }
}
