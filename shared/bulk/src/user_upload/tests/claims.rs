//! Rows about one user, and addresses and extensions that only one user has.

use super::*;

#[test]
fn rows_about_one_user_add_up_and_contradict_each_other_only_where_both_say_something() {
    let mut directory = Directory::default();
    let file = "Login ID,Name,Designation,DID\nuser1,Asha Rao,,9876543210\nuser1,,,9876543211\nUSER1,,Lead,\nuser1,Asha Rao,,9876543210\nuser1,Somebody,,9876543212\n";
    let ran = run(file, &mut directory);
    assert_eq!(
        ran.rows,
        ["applied", "applied", "applied", "unchanged DUPLICATE_IN_FILE; DUPLICATE_IN_FILE", "failed LOGIN_ID_TAKEN"]
    );
    let asha = &directory.users["user1"];
    assert_eq!((asha.caller_ids.len(), asha.profile.name.as_str()), (2, "Asha Rao"));
    assert_eq!(asha.profile.designation.as_ref().map(Name::as_str), Some("Lead"));
    assert!(String::from_utf8(ran.failed).unwrap().contains("with another Name"));
}

#[test]
fn an_address_that_one_row_gives_up_is_anothers_in_any_order() {
    let email = |login: &str, address: &str| {
        let mut user = user(login);
        user.profile.email = EmailAddress::parse(address).ok();
        user
    };
    for file in [
        "Login ID,Email\na,two@example.com\nb,three@example.com\n",
        "Login ID,Email\nb,three@example.com\na,two@example.com\n",
        // A chain: each waits for the next.
        "Login ID,Email\na,two@example.com\nb,three@example.com\nc,four@example.com\n",
    ] {
        let mut directory = Directory::with([email("a", "one@example.com"), email("b", "two@example.com")]);
        if file.contains("\nc,") {
            directory.users.insert("c".to_owned(), email("c", "three@example.com"));
        }
        let ran = run(file, &mut directory);
        assert!(ran.rows.iter().all(|row| row == "applied"), "{file}: {:?}", ran.rows);
        let has = |login: &str| directory.users[login].profile.email.as_ref().unwrap().as_str().to_owned();
        assert_eq!((has("a"), has("b")), ("two@example.com".to_owned(), "three@example.com".to_owned()));
    }
    // A swap is left out: neither can be first.
    let mut directory = Directory::with([email("a", "one@example.com"), email("b", "two@example.com")]);
    let swap = "Login ID,Email\na,two@example.com\nb,one@example.com\n";
    assert_eq!(run(swap, &mut directory).rows, ["failed EMAIL_TAKEN", "failed EMAIL_TAKEN"]);
    // Who keeps an address keeps it.
    let kept = "Login ID,Email\na,two@example.com\nb,\n";
    assert_eq!(run(kept, &mut directory).rows, ["failed EMAIL_TAKEN", "unchanged"]);
}

/// A job that is given up when the row further up has given the address away: the rest of the row could be done now.
#[test]
fn who_was_kept_out_stays_so_by_a_job_that_is_given_up() {
    let email = |login: &str, address: &str| {
        let mut user = user(login);
        user.profile.email = EmailAddress::parse(address).ok();
        user
    };
    let file = b"Login ID,Email,Block Web Login\na,one@example.com,\nb,two@example.com,Yes\n";
    let mut reader = UserRowReader::new("IN".parse().unwrap(), &[]);
    let mut wanted = UserRequests::default();
    each_row(file, |row| wanted.take(row, &mut reader));
    let ledger = wanted.finish_reading();
    let mut directory = Directory::with([email("a", "two@example.com"), user("b")]);
    let plan = |directory: &Directory, login: &str| {
        let (owners, at) = (directory.owners(), Timestamp::UNIX_EPOCH);
        let present = UserNow {
            user: directory.users.get(login),
            owners: &owners,
            dialable: &DialableNumbers::default(),
            now: at,
            as_of: at,
        };
        ledger.plan(ledger.user(login).unwrap(), present, &Catalog::default(), DEFAULT_LIST_LIMIT)
    };
    let (gives, kept_out) = (plan(&directory, "a"), plan(&directory, "b"));
    assert!(kept_out.left_out.is_some() && kept_out.writes());
    directory.write(&gives);
    assert!(!kept_out.clone().keep_done(&plan(&directory, "b")), "its turn hadn't come");
    directory.write(&kept_out);
    let rest = plan(&directory, "b");
    assert!(rest.left_out.is_none() && rest.writes());
    assert!(kept_out.clone().keep_done(&rest));
}

#[test]
fn every_claim_that_is_anothers_is_told_at_once_with_who_has_it() {
    let (mut mail, mut phone, mut person) = (user("mail"), user("phone"), user("person"));
    mail.profile.email = EmailAddress::parse("one@example.com").ok();
    phone.profile.extension = Some(Extension {
        login: Ref::parse("2001").unwrap(),
        intercom: Ref::parse("2001").unwrap(),
        caller_id: None,
        registrations: 0,
        active: true,
    });
    person.directory_id = rollcall_model::user::DirectoryId::parse("id-1").ok();
    let mut directory = Directory::with([mail, phone, person, user("user1")]);
    let file = "login,email,extension,directory id,role,did\nuser1,one@example.com,2001,id-1,chief,junk\n";
    let ran = run(file, &mut directory);
    let codes = "failed EMAIL_TAKEN; EXTENSION_IN_USE; DIRECTORY_ID_TAKEN; ROLE_UNKNOWN; NUMBER_INVALID";
    assert_eq!(ran.rows, [codes]);
    let said = String::from_utf8(ran.failed).unwrap();
    for owner in ["mail", "phone", "person"] {
        assert!(said.contains(&format!("The user \"\"{owner}\"\" has this")), "{said}");
    }
    // Rows further up are told in the same way.
    let file = "login,name,email,extension\na,A,x@example.com,7\nb,B,x@example.com,7\n";
    let ran = run(file, &mut Directory::default());
    assert_eq!(ran.rows, ["applied", "failed EMAIL_TAKEN; EXTENSION_IN_USE"]);
    // What somebody is about to give up is no fault beside another.
    let mut directory = Directory::with([has_email("a", "a@example.com"), has_email("b", "b@example.com")]);
    let ran = run("login,email,role\na,b@example.com,chief\nb,c@example.com,\n", &mut directory);
    assert_eq!(ran.rows, ["failed ROLE_UNKNOWN", "applied"]);
}

fn has_email(login: &str, email: &str) -> User {
    let mut user = user(login);
    user.profile.email = EmailAddress::parse(email).ok();
    user
}

#[test]
fn a_deactivation_waits_for_no_address() {
    let mut leaver = has_email("leaver", "leaver@x.example");
    leaver.profile.calling_agent = true;
    let mut directory = Directory::with([leaver, has_email("other", "taken@x.example")]);
    let file =
        "login,name,email,agent status,block web login,did\nleaver,Gone,taken@x.example,disabled,yes,9876543210\n";
    assert_eq!(run(file, &mut directory).rows, ["partial EMAIL_TAKEN"]);
    let leaver = &directory.users["leaver"];
    assert_eq!((leaver.web_login, leaver.agent_status), (WebLogin::Blocked, AgentStatus::Disabled));
    let email = leaver.profile.email.as_ref().map(EmailAddress::as_str);
    assert_eq!((email, leaver.profile.name.as_str()), (Some("leaver@x.example"), "Somebody"));
    assert!(leaver.caller_ids.is_empty());
    let again = run(file, &mut directory).rows;
    assert_eq!(again, ["failed EMAIL_TAKEN"], "who is out already is kept out by nothing of this");
}

#[test]
fn nobody_is_kept_out_in_the_name_of_another_person() {
    let person = |id: &str| rollcall_model::user::DirectoryId::parse(id).ok();
    let mut heir = user("shared");
    heir.directory_id = person("new");
    let mut owner = user("owner");
    owner.directory_id = person("old");
    let mut directory = Directory::with([heir, owner]);
    let file = "login,block web login,directory id\nshared,yes,old\nfresh,yes,old\n";
    let refused = ["failed DIRECTORY_ID_TAKEN", "failed DIRECTORY_ID_TAKEN; NAME_MISSING"];
    assert_eq!(run(file, &mut directory).rows, refused);
    assert_eq!(directory.users["shared"].web_login, WebLogin::Active);
}

#[test]
fn a_default_is_one_of_the_list_with_what_the_file_appends_and_another_fails_alone() {
    let mut directory = Directory::with(["asha", "ravi", "mira"].map(user));
    let old: CallerId = "+919876500009".parse().unwrap();
    // What was said before stays, whatever has become of the number since.
    directory.users.get_mut("mira").unwrap().profile.default_caller_id = Some(old);
    let file = "Login ID,Allowed Caller ID,Default Caller ID\n\
        asha,+919876500001,98765 00001\nravi,+919876500001,+919876500002\nmira,,+919876500009\n";
    let ran = run(file, &mut directory);
    assert_eq!(ran.rows, ["applied NORMALIZED", "failed DEFAULT_NOT_ALLOWED", "unchanged"]);
    let asha = &directory.users["asha"];
    assert_eq!((asha.profile.default_caller_id, asha.caller_ids.len()), ("+919876500001".parse().ok(), 1));
    assert!(directory.users["ravi"].caller_ids.is_empty(), "a row is refused as a whole");
    assert_eq!(directory.writes, 1);
}
