//! The order of reads and writes, tried in every interleaving: three people who retire a number each, one who packs the inventory anew, a
//! process that reads twice and remembers. **A number whose retirement was answered before a request began is not in its answer.**
//!
//! Two of the numbers stand in one part, the third in another. A part may be read as it was earlier, and the process that packs anew may
//! die between any two writes. With each fault that the order guards against, the check finds an answer that is wrong.

use std::collections::HashSet;

const NUMBERS: usize = 3;
/// In which part each number stands.
const PART: [usize; NUMBERS] = [0, 0, 1];
const PARTS: usize = 2;

/// Which of the numbers are retired.
type Retired = [bool; NUMBERS];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    WriterTakesAnyStamp,
    PackerTakesAnyStamp,
    ReaderTakesAnyPart,
    ReaderTakesTheHeadLast,
    NumberBeforeItsPart,
    PartsNamedAlike,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Head {
    stamp: u8,
    /// The names of the parts.
    parts: [u8; PARTS],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Part {
    name: u8,
    retired: Retired,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Writer {
    Begins,
    HasRead { head: Head, known: [Part; PARTS] },
    HasHalf { head: Head, known: [Part; PARTS] },
    Answered,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Packer {
    Begins,
    HasHead { head: Head },
    HasRead { head: Head, retired: Retired },
    Writes { head: Head, retired: Retired, written: usize },
    Ended,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Reader {
    Begins,
    HasHead { head: Head, parts: [Option<Part>; PARTS] },
    HasParts { parts: [Part; PARTS] },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    items: Retired,
    head: Head,
    /// Each part as it is, and as it was.
    parts: [Vec<Part>; PARTS],
    stamps: u8,
    /// How often the numbers have been packed anew.
    packings: u8,
    writers: [Writer; NUMBERS],
    packer: Packer,
    reader: Reader,
    requests: u8,
    /// What had been answered when the request began.
    owed: Retired,
    cache: Option<(u8, [Part; PARTS])>,
}

impl World {
    fn new() -> Self {
        let part = Part { name: 0, retired: [false; NUMBERS] };
        Self {
            items: [false; NUMBERS],
            head: Head { stamp: 0, parts: [0; PARTS] },
            parts: [vec![part], vec![part]],
            stamps: 0,
            packings: 0,
            writers: [Writer::Begins; NUMBERS],
            packer: Packer::Begins,
            reader: Reader::Begins,
            requests: 0,
            owed: [false; NUMBERS],
            cache: None,
        }
    }

    fn now(&self, part: usize) -> Part {
        *self.parts[part].last().expect("a part is never taken away")
    }

    fn put_part(&mut self, part: usize, name: u8, retired: Retired) {
        self.parts[part].push(Part { name, retired });
    }

    fn next_stamp(&mut self) -> u8 {
        self.stamps += 1;
        self.stamps
    }

    /// The name of the parts that are packed now.
    fn packing(&self, fault: Fault) -> u8 {
        const FIRST: u8 = 100;
        FIRST + if fault == Fault::PartsNamedAlike { 0 } else { self.packings }
    }

    fn answered(&self) -> Retired {
        self.writers.map(|writer| writer == Writer::Answered)
    }

    fn writer(&self, number: usize, fault: Fault) -> Vec<Self> {
        let mut next = self.clone();
        match self.writers[number] {
            Writer::Begins => {
                // A writer reads as a reader does; what is not of one moment it reads again.
                let known = [0, 1].map(|part| self.now(part));
                if known.map(|part| part.name) != self.head.parts {
                    return Vec::new();
                }
                next.writers[number] = Writer::HasRead { head: self.head, known };
            }
            Writer::HasRead { head, known } if fault == Fault::NumberBeforeItsPart => {
                next.items[number] = true;
                next.writers[number] = Writer::HasHalf { head, known };
                let mut answered = next.clone();
                answered.writers[number] = Writer::Answered;
                return vec![next, answered];
            }
            Writer::HasRead { head, known } | Writer::HasHalf { head, known } => {
                if self.head.stamp != head.stamp && fault != Fault::WriterTakesAnyStamp {
                    next.writers[number] = Writer::Begins;
                    return vec![next];
                }
                let stamp = next.next_stamp();
                let mut retired = known[PART[number]].retired;
                retired[number] = true;
                next.items[number] = true;
                next.put_part(PART[number], stamp, retired);
                next.head = Head { stamp, ..self.head };
                next.head.parts[PART[number]] = stamp;
                next.writers[number] = Writer::Answered;
            }
            Writer::Answered => return Vec::new(),
        }
        vec![next]
    }

    fn packer(&self, fault: Fault) -> Vec<Self> {
        let mut next = self.clone();
        match self.packer {
            Packer::Begins => next.packer = Packer::HasHead { head: self.head },
            Packer::HasHead { head } => next.packer = Packer::HasRead { head, retired: self.items },
            Packer::HasRead { head, retired } => next.packer = Packer::Writes { head, retired, written: 0 },
            Packer::Writes { head, written: PARTS, .. } => {
                next.packer = Packer::Ended;
                if self.head.stamp == head.stamp || fault == Fault::PackerTakesAnyStamp {
                    let stamp = next.next_stamp();
                    next.head = Head { stamp, parts: [self.packing(fault); PARTS] };
                } else {
                    // The parts that it has written are nobody's: who finds them packs anew.
                    next.packings += 1;
                    next.packer = Packer::Begins;
                }
            }
            Packer::Writes { head, retired, written } => {
                next.put_part(written, self.packing(fault), retired);
                next.packer = Packer::Writes { head, retired, written: written + 1 };
            }
            Packer::Ended => return Vec::new(),
        }
        vec![next]
    }

    /// What follows; `Err` for an answer that is wrong.
    fn reader(&self, fault: Fault) -> Result<Vec<Self>, ()> {
        const REQUESTS: u8 = 2;
        let mut next = self.clone();
        match &self.reader {
            Reader::Begins if self.requests == REQUESTS => Ok(Vec::new()),
            Reader::Begins => {
                next.owed = self.answered();
                next.take_head()?;
                Ok(vec![next])
            }
            Reader::HasHead { head, parts } => {
                let Some(at) = parts.iter().position(Option::is_none) else {
                    let parts = parts.map(|part| part.expect("all are there"));
                    let head = if fault == Fault::ReaderTakesTheHeadLast { self.head } else { *head };
                    next.reader = Reader::HasParts { parts };
                    next.cache = Some((head.stamp, parts));
                    return Ok(vec![next]);
                };
                let fits = |part: &Part| part.name == head.parts[at] || fault == Fault::ReaderTakesAnyPart;
                let mut all = Vec::new();
                // Any earlier state, or the present one, if it is the part that the head names.
                for part in self.parts[at].iter().filter(|part| fits(part)) {
                    let mut next = self.clone();
                    let mut parts = *parts;
                    parts[at] = Some(*part);
                    next.reader = Reader::HasHead { head: *head, parts };
                    all.push(next);
                }
                if !fits(&self.now(at)) && self.head != *head {
                    // It begins again with the head.
                    next.take_head()?;
                    all.push(next);
                }
                Ok(all)
            }
            Reader::HasParts { parts } => {
                next.answer(*parts)?;
                Ok(vec![next])
            }
        }
    }

    fn take_head(&mut self) -> Result<(), ()> {
        match self.cache {
            Some((stamp, parts)) if stamp == self.head.stamp => self.answer(parts),
            _ => {
                self.reader = Reader::HasHead { head: self.head, parts: [None; PARTS] };
                Ok(())
            }
        }
    }

    fn answer(&mut self, parts: [Part; PARTS]) -> Result<(), ()> {
        if (0..NUMBERS).any(|number| self.owed[number] && !parts[PART[number]].retired[number]) {
            return Err(());
        }
        self.reader = Reader::Begins;
        self.requests += 1;
        Ok(())
    }
}

/// How many states there are; `Err` when one of them answers wrongly.
fn check(fault: Fault) -> Result<usize, ()> {
    let mut seen = HashSet::from([World::new()]);
    let mut left = vec![World::new()];
    while let Some(world) = left.pop() {
        let mut following = world.reader(fault)?;
        following.extend((0..NUMBERS).flat_map(|number| world.writer(number, fault)));
        following.extend(world.packer(fault));
        for next in following {
            if next.stamps < 8 && seen.insert(next.clone()) {
                left.push(next);
            }
        }
    }
    Ok(seen.len())
}

#[test]
fn no_answer_shows_a_number_whose_retirement_was_answered_before() {
    let states = check(Fault::None).expect("no interleaving answers wrongly");
    assert!(states > 10_000, "{states} states are too few to be all");
}

#[test]
fn each_fault_that_the_order_guards_against_is_found() {
    for fault in [
        Fault::WriterTakesAnyStamp,
        Fault::PackerTakesAnyStamp,
        Fault::ReaderTakesAnyPart,
        Fault::ReaderTakesTheHeadLast,
        Fault::NumberBeforeItsPart,
        Fault::PartsNamedAlike,
    ] {
        assert_eq!(check(fault), Err(()), "{fault:?}");
    }
}
