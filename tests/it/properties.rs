//! Properties of what both ends share: codecs round trip, signatures cover what they say, nothing panics.

use proptest::prelude::*;
use rotaprobe::codec::{self, Body, Call, Param, Place, Refusal};
use rotaprobe::emulator::{Emulator, http1};
use rotaprobe::model::{Fact, Meaning, VersionFact};
use rotaprobe::sign::{Credentials, Scheme, Signing};
use rotaprobe::spec::{self, Format, Vendor};
use rotaprobe::wire::Request;
use std::sync::{Arc, LazyLock};

static VENDOR: LazyLock<Arc<Vendor>> = LazyLock::new(|| Arc::new(spec::embedded("alibaba").unwrap()));

fn schemes() -> impl Strategy<Value = Arc<Scheme>> {
    prop::sample::select(VENDOR.schemes.clone())
}

fn places() -> impl Strategy<Value = Place> {
    prop_oneof![Just(Place::Documented), Just(Place::Query), Just(Place::Body)]
}

prop_compose! {
    fn calls()(
        operation in prop::sample::select(VENDOR.spec.operations.keys().cloned().collect::<Vec<_>>()),
        values in prop::collection::vec((any::<String>(), places()), 0..8),
        place in places(),
    ) -> Call {
        let names: Vec<String> = VENDOR.spec.operations[&operation].parameters.keys().cloned().collect();
        let mut call = Call::new(&operation);
        call.how.place = place;
        call.params = names.into_iter().zip(values).map(|(name, (value, place))| Param { name, value, place }).collect();
        call
    }
}

fn signed(call: &Call, scheme: &Scheme, nonce: &str) -> Request {
    let mut request = codec::encode_call(&VENDOR, call, scheme, "127.0.0.1:1");
    let credentials = Credentials::pair("testid", "testsecret");
    scheme.sign(&mut request, &Signing { credentials: &credentials, now: 1_704_164_645, nonce });
    request
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_call_reads_back_as_it_was_written(call in calls(), scheme in schemes()) {
        let request = codec::encode_call(&VENDOR, &call, &scheme, "127.0.0.1:1");
        let inbound = codec::decode_call(&VENDOR, &request, &scheme).unwrap();
        prop_assert_eq!(&inbound.operation, &call.operation);
        for param in &call.params {
            let read = inbound.params.iter().find(|(name, _)| *name == param.name).map(|(_, value)| value.as_str());
            prop_assert_eq!(read, Some(param.value.as_str()));
        }
    }

    #[test]
    fn what_is_signed_verifies_and_another_key_does_not(call in calls(), scheme in schemes(), nonce in "[a-z0-9]{1,40}") {
        let request = signed(&call, &scheme, &nonce);
        prop_assert!(scheme.announces(&request));
        prop_assert_eq!(scheme.verify(&request, &Credentials::pair("testid", "testsecret")), Ok(()));
        prop_assert!(scheme.verify(&request, &Credentials::pair("testid", "testsecreT")).is_err());
        prop_assert_eq!(scheme.claim(&request).unwrap().nonce, Some(nonce));
    }

    #[test]
    fn any_changed_signed_byte_is_refused(call in calls(), scheme in schemes(), at in any::<prop::sample::Index>(), in_body in any::<bool>()) {
        let mut request = signed(&call, &scheme, "n");
        let mut target = request.target.clone().into_bytes();
        if in_body && !request.body.is_empty() {
            let at = at.index(request.body.len());
            request.body[at] ^= 1;
        } else {
            // A letter or digit in the query, so that the target stays one.
            let places: Vec<usize> = target.iter().enumerate().skip(2).filter(|(_, b)| b.is_ascii_alphanumeric()).map(|(at, _)| at).collect();
            prop_assume!(!places.is_empty());
            let at = places[at.index(places.len())];
            target[at] = if target[at] == b'7' { b'8' } else { b'7' };
            request.target = String::from_utf8(target).unwrap();
        }
        let before = signed(&call, &scheme, "n");
        let same = rotaprobe::wire::percent::pairs(before.query()) == rotaprobe::wire::percent::pairs(request.query()) && before.body == request.body;
        prop_assume!(!same);
        prop_assert!(scheme.verify(&request, &Credentials::pair("testid", "testsecret")).is_err());
    }

    #[test]
    fn a_reply_says_the_same_in_every_format(
        name in any::<String>(), value in "[^\u{0}-\u{8}\u{b}\u{c}\u{e}-\u{1f}\u{fffe}\u{ffff}\r]+", ids in prop::collection::vec("[a-z0-9]{1,12}", 0..5), total in 0_i64..1_000,
    ) {
        let clean: String = name.chars().filter(|c| !c.is_control() && *c != '\u{fffe}' && *c != '\u{ffff}').collect();
        prop_assume!(!clean.is_empty());
        let versions = ids.iter().map(|id| VersionFact { id: id.as_str().into(), stages: Some(vec!["A".into(), "B".into()]), created: Some(total) }).collect();
        let list = vec![(Meaning::Secret, Fact::Text(clean.as_str().into())), (Meaning::Versions, Fact::Versions(versions)), (Meaning::Total, Fact::Count(total))];
        let read = vec![(Meaning::Secret, Fact::Text(clean.as_str().into())), (Meaning::Value, Fact::Text(value.as_str().into())), (Meaning::Stages, Fact::Stages(vec!["A".into()]))];
        for (operation, facts) in [("ListSecretVersionIds", list), ("GetSecretValue", read)] {
            for format in [Format::Json, Format::Xml] {
                let response = codec::encode_done(&VENDOR, operation, format, &facts, "id-1");
                let reply = codec::decode_reply(&VENDOR, operation, &response);
                prop_assert_eq!(reply.format, Some(format));
                prop_assert_eq!(reply.request_id.as_deref(), Some("id-1"));
                let Body::Done { facts: read, .. } = reply.body else { return Err(TestCaseError::fail("it is a success")) };
                for (meaning, fact) in &facts {
                    let wanted = match (meaning, fact) {
                        (Meaning::Value, Fact::Text(text)) => Fact::Value(rotaprobe::model::digest(text)),
                        (_, fact) => fact.clone(),
                    };
                    let got = read.iter().find(|(m, _)| m == meaning).map(|(_, fact)| fact);
                    // An element without entries cannot be told from an empty list.
                    prop_assert_eq!(got, Some(&wanted), "{:?} in {:?}", meaning, format);
                }
            }
        }
    }

    #[test]
    fn a_refusal_fits_a_documented_envelope_in_every_format(code in "[A-Za-z.]{1,30}", message in "[ -~]{0,60}", status in 400_u16..600) {
        for format in [Format::Json, Format::Xml] {
            let refusal = Refusal { status, code: code.clone(), message: message.clone() };
            let response = codec::encode_refusal(&VENDOR, "RotateSecret", format, &refusal, "id-2");
            let reply = codec::decode_reply(&VENDOR, "RotateSecret", &response);
            prop_assert_eq!(reply.status, status);
            let Body::Refused { code: read, misfit } = reply.body else { return Err(TestCaseError::fail("it is a refusal")) };
            prop_assert_eq!(&read, &code);
            prop_assert_eq!(misfit, "");
        }
    }

    #[test]
    fn no_bytes_make_the_emulator_panic_and_every_reply_can_be_read(
        method in "[A-Z]{0,8}", target in any::<String>(), headers in prop::collection::vec(("[a-z-]{1,20}", any::<Vec<u8>>()), 0..8), body in any::<Vec<u8>>(),
        authorization in any::<String>(), known in any::<bool>(),
    ) {
        let mut emulator = Emulator::new(VENDOR.clone(), Emulator::default_accounts(&VENDOR), 1);
        let mut request = Request { method, target: format!("/{target}"), body, ..Request::default() };
        headers.into_iter().for_each(|(name, value)| request.headers.add(name, value));
        if known {
            request.headers.add("authorization", format!("ACS3-HMAC-SHA256 {authorization}"));
            request.target = format!("/?Signature={target}&Action=RotateSecret&{authorization}");
        }
        let response = emulator.handle(&request, 1_704_164_645);
        let reply = codec::decode_reply(&VENDOR, "RotateSecret", &response);
        prop_assert!(matches!(reply.body, Body::Refused { ref misfit, .. } if misfit.is_empty()), "{:?}", reply.body);
        prop_assert!(reply.request_id.is_some());
        prop_assert!(response.status < 500);
    }

    #[test]
    fn no_reply_makes_the_decoder_panic(status in 100_u16..999, body in any::<Vec<u8>>(), text in any::<String>(), which in 0..4) {
        let body = match which {
            0 => body,
            1 => format!("{{{text}}}").into_bytes(),
            2 => format!("<KMS>{text}</KMS>").into_bytes(),
            _ => text.into_bytes(),
        };
        let response = rotaprobe::wire::Response { status, body, ..Default::default() };
        for operation in VENDOR.spec.operations.keys() {
            let reply = codec::decode_reply(&VENDOR, operation, &response);
            prop_assert_eq!(reply.status, status);
        }
    }

    #[test]
    fn no_bytes_make_the_framing_panic(bytes in any::<Vec<u8>>()) {
        let parsed = http1::parse(&bytes);
        let beyond = matches!(parsed, http1::Parsed::Complete { used, .. } if used > bytes.len());
        prop_assert!(!beyond, "more was used than there is");
    }
}
