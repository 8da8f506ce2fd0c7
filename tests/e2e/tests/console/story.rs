//! The stories of the product's two pages.

use std::fs;

use e2e::Browser;
use serde_json::json;

use super::{Stage, USUAL};

/// Waits for the end of the job that is shown.
pub(super) async fn finished(browser: &Browser) {
    let state = "return document.querySelector('h1 ~ .chip')?.innerText.includes('finished')";
    browser.until("the job is finished", state, json!([])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stories_of_both_pages() {
    let Some(mut stage) = Stage::open(USUAL).await else { return };
    stage.enter("files", &[]).await;
    a_file_is_previewed_done_and_undone(&stage).await;
    a_file_is_dropped_on_the_page(&stage.browser).await;
    stage.enter("people", &[]).await;
    a_user_is_added_edited_acted_on_and_deleted(&stage.browser).await;
    stage.enter("numbers", &[]).await;
    numbers_are_rotated_and_a_crm_user_learns_why_one_is_not_seen(&stage.browser).await;
    stage.enter("many", &[]).await;
    all_who_match_are_disabled_at_once(&stage).await;
}

/// Bulk append caller ID, from the file to its undo: previewed, done, failed rows shown with their reasons.
async fn a_file_is_previewed_done_and_undone(Stage { stack, browser, .. }: &Stage) {
    let file = stack.dir().join("october.csv");
    fs::write(&file, "Login ID,Allowed Caller ID\nuser1,+919876500005\nuser2,9876500006;junk\nnobody,+919876500001\n")
        .expect("a file");

    browser.click("More actions").await;
    browser.click("Bulk append caller ID").await;
    browser.choose_file(&file).await;
    browser.read("Read as: Bulk append caller ID, with 2 columns.").await;
    browser.click("Upload and preview").await;
    browser.read("A preview: nothing has been changed.").await;
    browser.settled().await;
    for text in ["october.csv", "No user of the account has this login ID.", "NUMBER_INVALID", "2 rows need correction"]
    {
        browser.read(text).await;
    }
    browser.click("Do it").await;
    finished(browser).await;
    browser.place("#/users/user1", "Asha Rao").await;
    browser.read("+91 98765 00005").await;

    browser.place("#/jobs", "Jobs").await;
    browser.click("october.csv").await;
    browser.click("Undo…").await;
    browser.click("Preview the undo").await;
    browser.read("A preview: nothing has been changed.").await;
    browser.click("Do it").await;
    finished(browser).await;
    browser.place("#/users/user1", "Asha Rao").await;
    browser.settled().await;
    let page = browser.run("return document.body.innerText", json!([])).await;
    assert!(page.as_str().is_some_and(|page| !page.contains("98765 00005\nTake off")), "{page}");
    assert_eq!(browser.violations().await, json!([]));
    assert!(browser.keeps_the_contract().await > 10);
}

/// Anywhere on the page, a file is read as one that was chosen is.
async fn a_file_is_dropped_on_the_page(browser: &Browser) {
    const DROP: &str = "const files = new DataTransfer();
        files.items.add(new File([arguments[0]], 'dropped.csv'));
        for (const kind of ['dragenter', 'dragover', 'drop']) {
          const event = new DragEvent(kind, { dataTransfer: files, bubbles: true, cancelable: true });
          document.querySelector('h1').dispatchEvent(event);
        }";
    browser.place("#/audit", "Audit trail").await;
    browser.run(DROP, json!(["Login ID,Allowed Caller ID\nuser2,+919876500005\n"])).await;
    browser.read("Read as: Bulk append caller ID, with 2 columns.").await;
    browser.click("Upload and preview").await;
    browser.read("dropped.csv").await;
    browser.read("A preview: nothing has been changed.").await;
}

/// A user from the first form to the end, and the numbers that the user may dial from.
async fn a_user_is_added_edited_acted_on_and_deleted(browser: &Browser) {
    browser.click("Add user").await;
    browser.click("Add").await;
    browser.read("A user needs a login ID.").await;
    browser.fill("Login ID", "maya").await;
    browser.fill("Name", "מאיה محمد").await;
    browser.fill("E-mail", "maya@example.com").await;
    browser.fill("Call forward number", "+91 98123 45678").await;
    browser.fill("Extension login", "2001").await;
    browser.fill("Intercom number", "109").await;
    browser.click("Add").await;
    browser.read("+91 98123 45678").await;
    browser.read("Nothing to dial from.").await;

    browser.click("Append caller IDs").await;
    browser.fill("Numbers", "98765 00002\njunk").await;
    browser.click("Append").await;
    browser.read("it is no telephone number").await;
    browser.click("Cancel").await;
    browser.read("1 number to dial from now").await;

    browser.click("Actions on maya").await;
    browser.click("Block agent").await;
    browser.read("blocked").await;
    browser.click("Take it back").await;
    browser
        .until(
            "the agent is enabled again",
            "return document.querySelector('h1 ~ .chip')?.innerText.includes('enabled')",
            json!([]),
        )
        .await;

    browser.place("#/extensions", "Extension status").await;
    browser.read("********").await;
    browser.place("#/users?search=%D7%9E%D7%90%D7%99%D7%94", "All users").await;
    browser.read("maya@example.com").await;
    browser.click("Actions on maya").await;
    browser.click("Delete user").await;
    browser
        .until("it asks for the login ID", "return document.querySelector('dialog .danger')?.disabled", json!([]))
        .await;
    browser.fill("Type maya to go on", "maya").await;
    browser.click("Delete user").await;
    browser.read("Nobody like that").await;
    assert_eq!(browser.violations().await, json!([]));
    assert!(browser.keeps_the_contract().await > 10);
}

/// More than a page shows: all that match the search, as one job that is previewed and then done.
async fn all_who_match_are_disabled_at_once(stage: &Stage) {
    const MANY: usize = 60;
    let browser = &stage.browser;
    let account = stage.account.parse().expect("an account");
    let users: Vec<_> = (1..=MANY)
        .map(|number| {
            let mut user = e2e::user(&format!("many{number}"));
            user.profile.calling_agent = true;
            user
        })
        .collect();
    stage.stack.directory.create_users(&account, &users).await.expect("users are created");
    browser.place("#/users?search=many", "All users").await;
    browser.read("there are more").await;
    browser.settled().await;
    browser.press(&["j", "x"]).await;
    browser.read("1 chosen").await;
    browser.click("Choose all that match").await;
    browser.read("All that match are chosen").await;
    browser.click("Disable agents…").await;
    browser.click("Preview").await;
    browser.read("A preview: nothing has been changed.").await;
    browser.click("Do it").await;
    finished(browser).await;
    let disabled = stage.caller(&[]).get("/v1/users?agent_status=disabled&search=many&limit=100").await.json();
    assert_eq!(disabled["items"].as_array().map(Vec::len), Some(MANY));
    browser.place("#/users?agent_status=disabled", "All users").await;
    browser.click("Count again").await;
    browser.read(&format!("{MANY}\nagents disabled")).await;
    assert_eq!(browser.violations().await, json!([]));
    assert!(browser.keeps_the_contract().await > 5);
}

/// Numbers are chosen, rotated with replacements, and previewed; a CRM user learns why a number isn't seen, and a resync mends it.
async fn numbers_are_rotated_and_a_crm_user_learns_why_one_is_not_seen(browser: &Browser) {
    browser.place("#/mappings?why=crm-2&number=98765%2000001", "User mapping").await;
    browser.read("It isn’t seen.").await;
    browser.read("What mends it:").await;
    browser.click("Resync").await;
    browser.click("Preview").await;
    browser.read("A preview: nothing has been changed.").await;
    browser.read("granted").await;
    browser.click("Do it").await;
    finished(browser).await;
    browser.place("#/mappings?why=crm-2&number=98765%2000001", "User mapping").await;
    browser.read("It is seen.").await;

    browser.place("#/rotation?retire=%2B919876500001", "Rotation").await;
    browser.fill("New number 1", "+919876500009").await;
    browser.click("Preview 1 number").await;
    browser.read("A preview: nothing has been changed.").await;
    browser.click("Do it").await;
    finished(browser).await;
    browser.place("#/numbers/%2B919876500001", "+91 98765 00001").await;
    browser.read("retired").await;
    browser.read("+91 98765 00009").await;
    assert_eq!(browser.violations().await, json!([]));
    assert!(browser.keeps_the_contract().await > 10);
}
