use proptest::prelude::*;

use super::*;
use rollcall_model::{
    safety_threshold::SafetyThreshold,
    user::{LoginId, Profile},
};

fn id(number: usize) -> DirectoryId {
    DirectoryId::parse(&format!("id-{number}")).unwrap()
}

fn user(number: usize) -> User {
    User::new(LoginId::parse(&format!("user{number}")).unwrap(), Profile::named("Asha").unwrap())
}

fn agent(number: usize) -> User {
    let mut user = user(number);
    user.profile.calling_agent = true;
    user
}

fn linked(users: impl IntoIterator<Item = User>) -> BTreeMap<DirectoryId, User> {
    users.into_iter().enumerate().map(|(number, user)| (id(number), user)).collect()
}

fn changes(changes: impl IntoIterator<Item = DirectoryChange>) -> BTreeMap<DirectoryId, DirectoryChange> {
    changes.into_iter().enumerate().map(|(number, change)| (id(number), change)).collect()
}

/// All of them are linked.
fn plan(linked: &BTreeMap<DirectoryId, User>, changes: &BTreeMap<DirectoryId, DirectoryChange>) -> SyncPlan {
    super::plan(linked, linked.len(), changes)
}

fn held(plan: &SyncPlan) -> Option<String> {
    hold(plan.tally.deactivated, 0, plan.tally.linked, SafetyThreshold::default())
}

fn disabled() -> DirectoryChange {
    DirectoryChange::Is(ChangedFacts { enabled: Some(false), ..ChangedFacts::default() })
}

/// What the engine makes of a row, as far as a sync cares.
fn apply(users: &mut BTreeMap<DirectoryId, User>, rows: &[ImportRow]) {
    for row in rows {
        let user = users.get_mut(&row.id).unwrap();
        assert_eq!(row.login.as_ref(), Some(&user.login), "a login ID never changes");
        let profile = &mut user.profile;
        profile.name = row.name.clone().unwrap_or_else(|| profile.name.clone());
        profile.email = row.email.clone().or(profile.email.take());
        profile.call_forward_number = row.phone.or(profile.call_forward_number);
        profile.designation = row.designation.clone().or(profile.designation.take());
        user.agent_status = row.agent_status.unwrap_or(user.agent_status);
        if row.block_web_login {
            user.web_login = WebLogin::Blocked;
        }
    }
}

#[test]
fn who_is_renamed_there_is_renamed_here() {
    let facts = ChangedFacts {
        name: Some(Name::parse("Asha Rao").unwrap()),
        email: Some(EmailAddress::parse("asha@example.com").unwrap()),
        phone: Phone::Number("+919876543210".parse().unwrap()),
        designation: Some(Name::parse("Lead").unwrap()),
        enabled: Some(true),
    };
    let plan = plan(&linked([user(0)]), &changes([DirectoryChange::Is(facts)]));
    assert_eq!(
        plan.rows[0].cells(),
        ["user0", "Asha Rao", "+919876543210", "asha@example.com", "Lead", "", "", "", "id-0", "", ""]
    );
    assert_eq!(plan.tally, SyncTally { linked: 1, updated: 1, ..SyncTally::default() });
}

#[test]
fn who_is_disabled_or_gone_there_is_kept_out_here_and_not_deleted() {
    let users = [user(0), agent(1), agent(2)];
    let plan = plan(&linked(users), &changes([disabled(), DirectoryChange::Removed, DirectoryChange::Removed]));
    let kept_out: Vec<_> = plan.rows.iter().map(|row| (row.agent_status, row.block_web_login)).collect();
    let both = (Some(AgentStatus::Disabled), true);
    assert_eq!(kept_out, [(None, true), both, both]);
    assert_eq!(plan.tally.deactivated, 3);
}

#[test]
fn what_is_told_is_what_was_done_and_not_what_was_planned() {
    let renamed = || DirectoryChange::Is(ChangedFacts { name: Name::parse("Renamed").ok(), ..ChangedFacts::default() });
    let told =
        changes([renamed(), renamed(), DirectoryChange::Removed, DirectoryChange::Removed, DirectoryChange::Removed]);
    let plan = plan(&linked((0..5).map(user)), &told);
    assert_eq!((plan.tally.updated, plan.tally.deactivated), (2, 3));
    let unmet = [(1, RowStatus::Failed), (3, RowStatus::Partial), (4, RowStatus::Failed)];
    let unmet = unmet.into_iter().map(|(number, came)| (id(number), came)).collect();
    let done = Planned::of(&plan.rows).done(plan.tally, &unmet);
    assert_eq!((done.linked, done.updated, done.deactivated, done.failed), (5, 1, 2, 3));
}

#[test]
fn an_agent_that_a_person_has_blocked_stays_blocked() {
    let mut blocked = agent(0);
    blocked.agent_status = AgentStatus::Blocked;
    let plan = plan(&linked([blocked]), &changes([DirectoryChange::Removed]));
    assert_eq!((plan.rows[0].agent_status, plan.rows[0].block_web_login), (None, true));
}

#[test]
fn who_is_enabled_again_there_is_only_told() {
    let mut blocked = user(0);
    blocked.web_login = WebLogin::Blocked;
    let enabled = DirectoryChange::Is(ChangedFacts { enabled: Some(true), ..ChangedFacts::default() });
    let plan = plan(&linked([blocked]), &changes([enabled]));
    assert_eq!((plan.rows.len(), plan.tally.still_blocked), (0, 1));
}

#[test]
fn what_the_directory_does_not_know_stays() {
    let mut known = user(0);
    known.profile.designation = Some(Name::parse("Lead").unwrap());
    known.profile.call_forward_number = Some("+919876543210".parse().unwrap());
    let facts = ChangedFacts { phone: Phone::Unreadable, ..ChangedFacts::default() };
    let plan = plan(&linked([known]), &changes([DirectoryChange::Is(facts)]));
    assert_eq!((plan.rows.len(), plan.tally.phones_unread), (0, 1));
}

#[test]
fn who_was_never_imported_is_passed_over() {
    let plan = plan(&linked([]), &changes([DirectoryChange::Removed, disabled()]));
    assert_eq!((plan.rows.len(), plan.tally), (0, SyncTally::default()));
}

#[test]
fn a_directory_that_seems_empty_takes_nothing_from_anybody_unasked() {
    let users = linked((0..12).map(user));
    let gone = changes((0..12).map(|_| DirectoryChange::Removed));
    let held = held(&plan(&users, &gone)).unwrap();
    assert!(held.contains("12 of the 12"), "{held}");
}

#[test]
fn who_is_out_already_does_not_count_for_the_brake() {
    let mut users = linked((0..40).map(user));
    for user in users.values_mut().take(30) {
        user.web_login = WebLogin::Blocked;
    }
    let gone = changes((0..36).map(|_| DirectoryChange::Removed));
    let plan = plan(&users, &gone);
    assert_eq!(held(&plan), None, "{:?}", plan.tally);
    assert_eq!(plan.tally.deactivated, plan.rows.len());
}

fn any_user() -> impl Strategy<Value = User> {
    (any::<bool>(), 0..3_usize, any::<bool>(), 0..3).prop_map(|(calling, status, blocked, name)| {
        let mut user = user(0);
        user.profile.calling_agent = calling;
        user.profile.name = Name::parse(&format!("Name {name}")).unwrap();
        user.agent_status = [AgentStatus::Enabled, AgentStatus::Disabled, AgentStatus::Blocked][status];
        user.web_login = if blocked { WebLogin::Blocked } else { WebLogin::Active };
        user
    })
}

fn any_change() -> impl Strategy<Value = DirectoryChange> {
    let text = |what: &'static str| prop::option::of((0..3).prop_map(move |at| format!("{what}{at}")));
    let phone =
        prop::sample::select(vec![Phone::None, Phone::Unreadable, Phone::Number("+919876543210".parse().unwrap())]);
    let facts = (text("Name "), text("mail@host"), phone, text("Job "), any::<Option<bool>>());
    let changed = facts.prop_map(|(name, email, phone, job, enabled)| {
        let name_of = |text: String| Name::parse(&text).unwrap();
        let email = email.map(|text| EmailAddress::parse(&text).unwrap());
        DirectoryChange::Is(ChangedFacts {
            name: name.map(name_of),
            email,
            phone,
            designation: job.map(name_of),
            enabled,
        })
    });
    prop_oneof![2 => changed, 1 => Just(DirectoryChange::Removed)]
}

proptest! {
    #[test]
    fn nothing_unasked_goes_past_the_brake_and_a_replay_changes_nothing(
        users in prop::collection::vec(any_user(), 0..80),
        told in prop::collection::vec(any_change(), 0..90),
        confirmed: bool,
    ) {
        let mut users = linked(users.into_iter().enumerate().map(|(number, user)| {
            User { login: LoginId::parse(&format!("user{number}")).unwrap(), ..user }
        }));
        let told = changes(told);
        let before = users.clone();
        let first = plan(&users, &told);
        let held = super::tests::held(&first);
        prop_assert_eq!(held.is_some(), SafetyThreshold::default().holds(first.tally.deactivated, before.len()));
        if held.is_some() && !confirmed {
            return Ok(());
        }
        apply(&mut users, &first.rows);
        let kept_out = |user: &User| {
            user.web_login == WebLogin::Blocked
                && !(user.profile.calling_agent && user.agent_status == AgentStatus::Enabled)
        };
        let out = users.iter().filter(|(id, user)| kept_out(user) && !kept_out(&before[*id])).count();
        prop_assert_eq!(out, first.tally.deactivated);
        for (id, user) in &users {
            let was = &before[id];
            // Nobody is let in, and nobody who was not told of is touched.
            prop_assert!(user.web_login == WebLogin::Blocked || was.web_login == WebLogin::Active);
            prop_assert!(user.agent_status == was.agent_status || user.agent_status == AgentStatus::Disabled);
            prop_assert!(told.contains_key(id) || user == was);
            let gone = matches!(told.get(id), Some(DirectoryChange::Removed | DirectoryChange::Is(ChangedFacts { enabled: Some(false), .. })));
            prop_assert_eq!(gone, gone && kept_out(user));
        }
        let again = plan(&users, &told);
        prop_assert!(again.rows.is_empty() && super::tests::held(&again).is_none(), "{:?}", again);
    }
}
