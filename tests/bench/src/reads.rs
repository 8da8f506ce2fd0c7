//! What reads cost by the size of the inventory: units as the table counts them, and processor time, beside the SDK's own.

use std::{
    thread,
    time::{Duration, Instant},
};

use e2e::{Faults, InProcess, Proxy, Stack, user};
use rollcall_model::{
    inventory::{InventoryNumber, NumberFacts},
    user::Policy,
};
use rollcall_storage::{connect::Aws, directory::Directory};
use tokio::runtime;

use crate::{Scale, count, process::cpu, report::Report};

const NUMBERS: [usize; 3] = [1_000, 20_000, 200_000];
/// Requests whose processor time is measured.
const REQUESTS: usize = 2_000;
const LIST: &str = "/v1/users/{login}/caller-ids";
const CHECK: &str = "/v1/users/{login}/caller-ids/{number}";

pub(crate) async fn run(report: &mut Report, scale: Scale) {
    report.section("Caller IDs of a user, by the account's numbers");
    report.say(
        "Asked of the function in this process, which has the table behind it and no gateway before it. *At first* is a process that has just \
         started. Processor time is of the whole request, with the SDK's own part, which is measured beside it by bare reads of the same size.",
    );
    for numbers in NUMBERS {
        let numbers = scale.of(numbers);
        let stack = Stack::start(&[]).await;
        let inventory = inventory(numbers);
        stack.directory.put_numbers(&stack.account, &inventory).await.expect("the numbers are written");
        let mut asha = user("asha");
        asha.policy = Policy::Custom;
        asha.caller_ids = inventory.iter().take(2).map(|item| item.number).collect();
        let number = inventory[0].number.to_string();
        stack.create_user(asha).await;

        let table = Proxy::start(&stack.endpoints().dynamodb, Faults::default(), None).await;
        table.units();
        let mut function = InProcess::start(&stack, &table.url).await;
        let start = Instant::now();
        function.get(LIST, &[("login", "asha")], "rollcall/users.read", None).await;
        let what = |what: &str| format!("{numbers} numbers, {what}");
        report.figure(&what("at first"), table.units(), "units");
        report.figure(&what("at first"), start.elapsed().as_secs_f64() * 1e3, "ms");
        function.get(LIST, &[("login", "asha")], "rollcall/users.read", None).await;
        report.target(&what("afterwards"), table.units(), 2.0, "units", false);
        let asked = [("login", "asha"), ("number", number.as_str())];
        function.get(CHECK, &asked, "rollcall/dial.check", None).await;
        report.target(&what("one number is checked"), table.units(), 2.0, "units", false);

        let [list, bare] = measured(&stack, &number);
        report.target(&what("processor time afterwards"), list, 1_000.0, "µs/request", false);
        report.figure(&what("of the SDK's bare read of the user"), bare, "µs/request");
    }
}

/// Processor time of a warm request, and of a bare read of the user, in microseconds: each on one thread of its own, as a function has one.
fn measured(stack: &Stack, number: &str) -> [f64; 2] {
    let each = |used: Duration| used.as_secs_f64() * 1e6 / count(REQUESTS);
    let on_a_thread = |ask: &(dyn Fn(&runtime::Runtime) -> Duration + Sync)| {
        let run = || ask(&runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"));
        thread::scope(|scope| scope.spawn(run).join()).expect("the requests come to an end")
    };
    let function = on_a_thread(&|runtime| {
        runtime.block_on(async {
            let mut function = InProcess::start(stack, &stack.endpoints().dynamodb).await;
            let asked = [("login", "asha"), ("number", number)];
            function.get(CHECK, &asked, "rollcall/dial.check", None).await;
            let before = cpu(std::process::id());
            for _ in 0..REQUESTS {
                function.get(CHECK, &asked, "rollcall/dial.check", None).await;
            }
            cpu(std::process::id()).saturating_sub(before)
        })
    });
    let bare = on_a_thread(&|runtime| {
        runtime.block_on(async {
            let directory = Directory::new(&Aws::local(stack.endpoints()).await, stack.output("TableName"));
            let read = async || directory.user(&stack.account, "asha").await.expect("the table answers");
            read().await.expect("the user is there");
            let before = cpu(std::process::id());
            for _ in 0..REQUESTS {
                read().await;
            }
            cpu(std::process::id()).saturating_sub(before)
        })
    });
    [function, bare].map(each)
}

/// Numbers as a provider sells them: at random, which packs worst.
fn inventory(count: usize) -> Vec<InventoryNumber> {
    let number = |n: u64| format!("+91{:010}", n.wrapping_mul(6_364_136_223_846_793_005) % 9_999_999_967);
    let numbers = (1..=count as u64).map(|n| {
        let department = ["sales", "support", "north"][usize::try_from(n % 3).expect("below three")].parse().ok();
        let facts = NumberFacts { department, ..NumberFacts::default() };
        InventoryNumber::new(number(n).parse().expect("a number"), facts, jiff::Timestamp::UNIX_EPOCH)
    });
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_by_key(|item| item.number);
    numbers.dedup_by_key(|item| item.number);
    numbers
}
