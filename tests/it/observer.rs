//! What an observer of one secret must be able to explain: documents leave it open.

use rotaprobe::model::{
    Answer, Belief, Fact, Facts, Law, Meaning, NOTHING, Op, Role, Seen, State, VersionFact, When, digest,
};
use rotaprobe::spec;

const START: i64 = 1_700_000_000;

/// An observer of one secret, told what an endpoint answers.
struct Observer {
    law: Law,
    belief: Belief,
    now: When,
}

impl Observer {
    fn of(vendor: &str) -> Self {
        let law = spec::embedded(vendor).unwrap().law.clone();
        let mut observer =
            Self { law, belief: Belief::default(), now: When { lo: START - 1, hi: START + 1 } };
        let kind = observer.law.kinds.iter().position(|kind| kind.rotates).unwrap();
        let create = Op {
            kind,
            token: observer.law.numbering.is_none().then(|| "v1".into()),
            value: Some(digest("one")),
            function: Some("function".into()),
            ..Observer::op(Role::Create)
        };
        observer.done(&create, vec![]);
        observer
    }

    fn op(role: Role) -> Op {
        Op { deprecated: true, ..Op::new(role, 0, "managed".into()) }
    }

    /// Whether an answer can be explained; it is taken in if so.
    fn explains(&mut self, op: &Op, seen: &Seen) -> bool {
        let mut possible = self.belief.possible(&self.law, op, self.now, NOTHING);
        // The reply has fields for what it says, and for nothing else.
        let said =
            |is: Meaning| matches!(seen, Seen::Done(facts) if facts.iter().any(|(said, _)| *said == is));
        for (_, outcome) in &mut possible {
            if let Answer::Done(stated) = &mut outcome.answer {
                stated.retain(|(is, _)| said(*is));
            }
        }
        self.belief.observe(&self.law, op, possible, seen, self.now).is_ok()
    }

    fn done(&mut self, op: &Op, facts: Facts) {
        assert!(self.explains(op, &Seen::Done(facts)), "{op:?}");
    }

    /// Whether a list of versions, oldest first, with the first stage of each, can be explained.
    fn lists(&mut self, versions: &[(&str, &str)]) -> bool {
        let fact = |(id, stage): &(&str, &str)| VersionFact {
            id: (*id).into(),
            stages: Some(stage.split_terminator(',').map(Into::into).collect()),
            created: None,
        };
        let facts = vec![(Meaning::Versions, Fact::Versions(versions.iter().map(fact).collect()))];
        self.clone().explains(&Self::op(Role::Versions), &Seen::Done(facts))
    }

    fn clone(&self) -> Self {
        Self { law: self.law.clone(), belief: self.belief.clone(), now: self.now }
    }
}

#[test]
fn rotations_that_are_accepted_at_once_may_queue() {
    let mut observer = Observer::of("huawei");
    observer.done(&Observer::op(Role::Rotate), vec![]);
    observer.done(&Observer::op(Role::Rotate), vec![]);
    let (current, previous, pending) = ("SYSCURRENT", "SYSPREVIOUS", "SYSPENDING");
    assert!(observer.lists(&[("v1", current)]), "neither has begun");
    assert!(observer.lists(&[("v1", current), ("v2", pending)]), "the first goes on, and shows");
    assert!(observer.lists(&[("v1", previous), ("v2", current)]), "the first has ended");
    assert!(observer.lists(&[("v1", ""), ("v2", previous), ("v3", current)]), "both have");
    assert!(
        !observer.lists(&[("v1", ""), ("v2", previous), ("v3", ""), ("v4", current)]),
        "there is no third"
    );
    assert!(!observer.lists(&[("v1", current), ("v2", "")]), "a version of nobody");
}

#[test]
fn a_version_written_while_a_rotation_goes_on_may_have_its_number() {
    let mut observer = Observer::of("huawei");
    observer.done(&Observer::op(Role::Rotate), vec![]);
    let put = Op { value: Some(digest("written")), ..Observer::op(Role::Put) };
    for (number, explained) in [("v2", true), ("v3", true), ("v4", false), ("v1", false)] {
        let told = Seen::Done(vec![(Meaning::Version, Fact::Text(number.into()))]);
        assert_eq!(observer.clone().explains(&put, &told), explained, "{number}");
    }
}

#[test]
fn what_a_schedule_begins_goes_on_too() {
    let mut observer = Observer::of("huawei");
    let (current, previous, pending) = ("SYSCURRENT", "SYSPREVIOUS", "SYSPENDING");
    assert!(!observer.lists(&[("v1", current), ("v2", pending)]), "there is no schedule");
    let policy = Op { enable: Some(true), interval: Some(864_000), ..Observer::op(Role::SetPolicy) };
    observer.done(&policy, vec![]);
    assert!(observer.lists(&[("v1", current), ("v2", pending)]), "from when the first one counts is open");
    let due = START + 12 * 86_400;
    observer.now = When { lo: due - 1, hi: due + 1 };
    assert!(observer.lists(&[("v1", current), ("v2", pending)]), "it goes on, and shows");
    assert!(observer.lists(&[("v1", previous), ("v2", current)]), "it has ended");
    assert!(!observer.lists(&[("v1", current), ("v2", "")]), "a version of nobody");
}

#[test]
fn a_schedule_may_pass_over_a_version_that_seems_to_be_made() {
    let day = 86_400;
    let next = |staged: bool, days: i64| {
        let mut observer = Observer::of("aws");
        let policy = Op { enable: Some(true), interval: Some(10 * day), ..Observer::op(Role::SetPolicy) };
        observer.done(&policy, vec![]);
        let stages = vec![if staged { "AWSPENDING".into() } else { "custom".into() }];
        let value = Some(digest("two"));
        let put = Op { token: Some("v2".into()), value, stages: Some(stages), ..Observer::op(Role::Put) };
        observer.done(&put, vec![]);
        let now = START + 48 * day;
        observer.now = When { lo: now - 1, hi: now + 1 };
        let versions = ["AWSCURRENT", if staged { "AWSPENDING" } else { "custom" }];
        let shown = |(id, stage): (&str, &str)| VersionFact {
            id: id.into(),
            stages: Some(vec![stage.into()]),
            created: None,
        };
        let versions = ["v1", "v2"].into_iter().zip(versions).map(shown).collect();
        let told = vec![
            (Meaning::NextRotation, Fact::Time(START + days * day)),
            (Meaning::Versions, Fact::Versions(versions)),
        ];
        observer.explains(&Op { deprecated: false, ..Observer::op(Role::Describe) }, &Seen::Done(told))
    };
    assert!(next(true, 50) && next(true, 58), "counted from the date that passed, or from now");
    assert!(!next(true, 70), "an interval too late");
    assert!(!next(false, 70), "nothing stands in its way");
}

#[test]
fn nobody_knows_what_becomes_of_a_version_that_a_rotation_left_behind() {
    let mut observer = Observer::of("aws");
    observer.done(&Op { token: Some("v2".into()), ..Observer::op(Role::Rotate) }, vec![]);
    observer.done(&Observer::op(Role::Cancel), vec![]);
    let put =
        |token: &str| Op { token: Some(token.into()), value: Some(digest("two")), ..Observer::op(Role::Put) };
    let mut other = observer.clone();
    other.done(&put("v3"), vec![]);
    assert!(other.belief.tracks(0, "managed"));
    observer.done(&put("v2"), vec![]);
    assert!(!observer.belief.tracks(0, "managed"));
}

#[test]
fn what_was_lost_on_its_way_to_a_rotation_is_let_go_of() {
    let mut observer = Observer::of("aws");
    let put = Op { token: Some("v2".into()), value: Some(digest("two")), ..Observer::op(Role::Put) };
    let now = observer.now;
    let possible = observer.belief.possible(&observer.law, &put, now, NOTHING);
    observer.belief.observe(&observer.law, &put, possible, &Seen::Lost, now).unwrap();
    let read = Observer::op(Role::Read);
    observer.belief.let_arrive(&observer.law, &read, now);
    assert!(observer.belief.tracks(0, "managed"), "it was written, or was not");
    observer.done(&Op { token: Some("v2".into()), ..Observer::op(Role::Rotate) }, vec![]);
    observer.belief.let_arrive(&observer.law, &read, now);
    assert!(!observer.belief.tracks(0, "managed"), "it may have met the version that the rotation makes");
}

#[test]
fn a_version_without_a_stage_may_be_gone_when_one_moves_there() {
    let mut observer = Observer::of("huawei");
    let put = Op { value: Some(digest("written")), ..Observer::op(Role::Put) };
    let to = |id: &str| Op {
        stage: Some("custom".into()),
        move_to: Some(id.into()),
        ..Observer::op(Role::MoveStage)
    };
    (0..3).for_each(|_| observer.done(&put, vec![]));
    assert!(observer.clone().explains(&to("v1"), &Seen::Refused), "it has no stage");
    assert!(!observer.clone().explains(&to("v4"), &Seen::Refused), "the current one is there");
    observer.law.unstaged_may_vanish = false;
    assert!(!observer.clone().explains(&to("v1"), &Seen::Refused), "where documents do not say so");
}

#[test]
fn the_task_of_a_secret_that_is_gone_tells_nothing_of_its_successor() {
    let mut observer = Observer::of("huawei");
    let named = || vec![(Meaning::Task, Fact::Text("t1".into()))];
    observer.done(&Observer::op(Role::Rotate), named());
    let kind = observer.law.kinds.iter().position(|kind| kind.rotates).unwrap();
    let ask = Op { task: Some("t1".into()), ..Op::new(Role::Task, 0, "".into()) };
    let failed = Seen::Done(vec![(Meaning::TaskState, Fact::State(State::Failed))]);
    observer.done(&Op { force: true, ..Observer::op(Role::Delete) }, vec![]);
    assert!(observer.clone().explains(&ask, &failed), "its secret was deleted under it");
    observer.done(&Op { kind, value: Some(digest("new")), ..Observer::op(Role::Create) }, vec![]);
    assert!(observer.clone().explains(&ask, &failed), "another is called so now");
    assert!(observer.lists(&[("v1", "SYSCURRENT")]), "which it makes no version of");
    assert!(!observer.lists(&[("v1", "SYSPREVIOUS"), ("v2", "SYSCURRENT")]));
}

#[test]
fn what_a_task_makes_may_not_be_there_yet_though_nobody_heard_of_the_task() {
    let mut observer = Observer::of("tencent");
    let kind = observer.law.kinds.iter().position(|kind| kind.rotates).unwrap();
    let op = |role| Op { kind, ..Op::new(role, 0, "lost".into()) };
    let (create, now) = (Op { value: Some(digest("one")), ..op(Role::Create) }, observer.now);
    let possible = observer.belief.possible(&observer.law, &create, now, NOTHING);
    observer.belief.observe(&observer.law, &create, possible, &Seen::Lost, now).unwrap();
    let shown = |state| vec![(Meaning::State, Fact::State(state))];
    for state in [State::Running, State::Active] {
        assert!(observer.clone().explains(&op(Role::Describe), &Seen::Done(shown(state))), "{state:?}");
    }
    let own = Op { secret: "managed".into(), ..op(Role::Describe) };
    assert!(observer.explains(&own, &Seen::Done(shown(State::Active))), "of this one, it was told");
}

#[test]
fn a_function_may_be_tried_out_and_its_version_vanishes() {
    let mut observer = Observer::of("aws");
    let token = |token: &str| Op { token: Some(token.into()), ..Observer::op(Role::Rotate) };
    let trial = Op { immediately: Some(false), interval: Some(864_000), ..token("v2") };
    observer.done(&trial, vec![]);
    assert!(observer.lists(&[("v1", "AWSCURRENT"), ("v2", "AWSPENDING")]), "it goes on");
    assert!(observer.lists(&[("v1", "AWSCURRENT")]), "it has ended, or not begun");
    assert!(!observer.lists(&[("v1", "AWSPREVIOUS"), ("v2", "AWSCURRENT")]), "it does not rotate");
}

#[test]
fn a_token_is_good_for_the_same_rotation_alone_where_documents_promise_no_more() {
    let mut observer = Observer::of("aws");
    observer.law.may_be_unavailable = false;
    let rotate = Op { token: Some("v2".into()), interval: Some(864_000), ..Observer::op(Role::Rotate) };
    observer.done(&rotate, vec![]);
    observer.now = When { lo: START + 60, hi: START + 62 };
    assert!(observer.lists(&[("v1", "AWSPREVIOUS"), ("v2", "AWSCURRENT")]));
    let told = vec![
        VersionFact { id: "v1".into(), stages: Some(vec!["AWSPREVIOUS".into()]), created: None },
        VersionFact { id: "v2".into(), stages: Some(vec!["AWSCURRENT".into()]), created: None },
    ];
    observer.done(&Observer::op(Role::Versions), vec![(Meaning::Versions, Fact::Versions(told))]);
    assert!(!observer.clone().explains(&rotate, &Seen::Refused), "the same again");
    let other = Op { states: 1, ..rotate.clone() };
    assert!(observer.clone().explains(&other, &Seen::Refused), "other settings");
    let created = Op { token: Some("v1".into()), ..rotate.clone() };
    assert!(observer.clone().explains(&created, &Seen::Refused), "the id of a version that no rotation made");
    for op in [&rotate, &other, &created] {
        assert!(observer.clone().explains(op, &Seen::Done(vec![])), "{op:?}");
    }
}

#[test]
fn a_rotation_is_the_same_again_if_it_states_the_same_under_whatever_name() {
    let vendor = spec::embedded("aws").unwrap();
    let states = |parameters: &[(&str, &str)]| {
        spec::interpret(&vendor, "RotateSecret", parameters, 0).unwrap().op.states
    };
    let first = states(&[("SecretId", "a"), ("ClientRequestToken", "v2")]);
    assert_eq!(states(&[("SecretId", "b"), ("ClientRequestToken", "v3")]), first);
    assert_ne!(
        states(&[("SecretId", "a"), ("RotationRules.Duration", "3h")]),
        first,
        "it has no meaning here"
    );
}

#[test]
fn what_need_not_mean_anything_is_read_both_ways() {
    let vendor = spec::embedded("huawei").unwrap();
    let read = |parameters: &[(&str, &str)]| {
        let name = [("secret_name", "a")];
        let given: Vec<(&str, &str)> = name.iter().chain(parameters).copied().collect();
        spec::interpret(&vendor, "UpdateSecret", &given, 0).unwrap()
    };
    let period = read(&[("rotation_period", "240h")]);
    assert_eq!((period.op.interval, period.also.unwrap().interval), (None, Some(864_000)));
    let cleared = read(&[("description", "")]);
    assert!(cleared.op.settings.is_empty() && cleared.also.unwrap().settings.len() == 1);
    for settled in
        [[("description", "text")].as_slice(), &[("auto_rotation", "true"), ("rotation_period", "240h")]]
    {
        assert_eq!(read(settled).also, None, "{settled:?}");
    }
}

#[test]
fn where_worlds_are_too_many_what_was_heard_of_longest_ago_goes_first() {
    let mut observer = Observer::of("aws");
    let kind = observer.law.kinds.iter().position(|kind| kind.rotates).unwrap();
    let names: Vec<String> = (0..8).map(|number| format!("secret-{number}")).collect();
    let op = |role, name: &str| Op { kind, ..Op::new(role, 0, name.into()) };
    for name in &names {
        let create = Op {
            token: Some("v1".into()),
            value: Some(digest("one")),
            function: Some("function".into()),
            ..op(Role::Create, name)
        };
        let tried = Op { token: Some("v2".into()), immediately: Some(false), ..op(Role::Rotate, name) };
        // A trial of rotation leaves three ways that each may be.
        for call in [&create, &Op { interval: Some(864_000), ..tried }] {
            observer.belief.turn_to(call);
            observer.done(call, vec![]);
        }
        assert!(observer.belief.tracks(0, name), "the last one is followed");
    }
    let tracked: Vec<bool> = names.iter().map(|name| observer.belief.tracks(0, name)).collect();
    assert!(tracked.is_sorted() && !tracked[0] && tracked[5..] == [true; 3], "{tracked:?}");
    assert!(observer.belief.tracks(0, "managed"), "of this one there is no doubt");
    assert!(!observer.belief.blurred(), "nothing was lost that a call was about");
    let [first, last] = [op(Role::Describe, &names[0]), op(Role::Describe, &names[7])];
    assert!(observer.belief.was_crowded_out(&first) && !observer.belief.was_crowded_out(&first));
    assert!(!observer.belief.was_crowded_out(&last));
}

#[test]
fn a_version_that_may_have_vanished_is_made_anew_and_not_twice() {
    let mut observer = Observer::of("alibaba");
    let rotate = |id: &str| Op { token: Some(id.into()), ..Observer::op(Role::Rotate) };
    for number in 2..30 {
        observer.done(&rotate(&format!("v{number}")), vec![]);
    }
    let possible = observer.belief.possible(&observer.law, &rotate("v2"), observer.now, NOTHING);
    let mut made = 0;
    for secret in possible.iter().filter_map(|(_, outcome)| outcome.change.secret.as_ref()?.1.as_ref()) {
        let ids: std::collections::BTreeSet<String> =
            secret.versions.iter().map(|version| format!("{:?}", version.id)).collect();
        assert_eq!(ids.len(), secret.versions.len(), "{ids:?}");
        made += 1;
    }
    assert!(made > 0, "it may be made anew");
}

#[test]
fn a_list_by_markers_need_not_show_what_a_rotation_is_making() {
    let mut observer = Observer::of("aws");
    observer.done(&Op { token: Some("v2".into()), ..Observer::op(Role::Rotate) }, vec![]);
    let (current, previous, pending) = ("AWSCURRENT", "AWSPREVIOUS", "AWSPENDING");
    assert!(observer.lists(&[("v1", current)]) && observer.lists(&[("v1", current), ("v2", pending)]));
    let shows: Vec<_> = [("v1", current), ("v2", pending)]
        .map(|(id, stage)| VersionFact { id: id.into(), stages: Some(vec![stage.into()]), created: None })
        .into();
    observer.done(&Observer::op(Role::Describe), vec![(Meaning::Versions, Fact::Versions(shows))]);
    assert!(observer.lists(&[("v1", current)]), "it has no value yet");
    assert!(!observer.lists(&[("v2", pending)]), "the current version is there");
    assert!(!observer.lists(&[("v2", current)]), "so is the one before");
    assert!(observer.lists(&[("v1", previous), ("v2", current)]), "it has ended");
}
