use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

use super::{HeadMask, Pseudonym, mask_head};

/// A head masked in pieces that end at these places.
fn in_pieces(head: &[u8], cuts: &[usize]) -> Vec<u8> {
    in_pieces_with(head, cuts, &Pseudonym::default())
}

fn in_pieces_with(head: &[u8], cuts: &[usize], ids: &Pseudonym) -> Vec<u8> {
    let (mut mask, mut bytes) = (HeadMask::new(ids), head.to_vec());
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (head.len() + 1)).collect();
    cuts.extend([0, head.len()]);
    cuts.sort_unstable();
    for pair in cuts.windows(2) {
        mask.feed(&mut bytes[pair[0]..pair[1]]);
    }
    bytes
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_secret_is_masked_wherever_it_is_cut() {
    let head = b"GET /a?x=1&token=hunter2 HTTP/1.1\r\nHost: h\r\nauthorization: Basic hunter2\r\n\
                 TE: y\r\nCookie:\r\n  hunter2\r\n\thunter2\r\nCookie : hunter2\r\n\
                 Referer: http://h/?sig=hunter2\r\nx-api-\x01key: hunter2\r\n\
                 X-Custom: hunter2\r\n\r\n";
    for first in 0..head.len() {
        for second in [first + 1, first + 7, head.len()] {
            let masked = text(&in_pieces(head, &[first, second]));
            assert!(!masked.contains("hunter2") && !masked.contains("unt"), "{first}: {masked}");
            assert!(masked.contains("GET /a?x=1&token=******* HTTP/1.1\r\nHost: h\r\n"));
            assert!(masked.contains("\r\nTE: y\r\n") && masked.len() == head.len());
        }
    }
}

#[test]
fn what_may_be_no_head_is_masked_unless_its_line_is_there() {
    assert_eq!(text(&in_pieces(b"FOO /a HTTP/1.1\r\nTE: b", &[])), "FOO /a HTTP/1.1\r\nTE: b");
    let masked = in_pieces(b"hunter2 and more\r\nTE: b", &[12]);
    assert_eq!(text(&masked), "xxxxxxxxxxxxxxxx\r\nTE: b");
}

#[test]
fn behind_the_end_all_is_masked() {
    assert_eq!(text(&in_pieces(b"GET / HTTP/1.1\r\n\r\nbody", &[])), "GET / HTTP/1.1\r\n\r\nxxxx");
}

fn heads() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        Just(&b"Host: h"[..]),
        Just(&b"Cookie: a=b"[..]),
        Just(&b" folded"[..]),
        Just(&b"Set-Cookie:a"[..]),
        Just(&b"Location: http://u:p@h/?token=1"[..]),
        Just(&b"no colon"[..]),
        Just(&b"A: "[..]),
        Just(&b"X-Consul-Token: a"[..]),
        Just(&b"traceparent: 00-a"[..]),
        Just(&b"X-Request-Id: 7b1f-a"[..]),
        Just(&b"sw8: 1-YQ==-Yg==-3-Yw==-ZA=="[..]),
        Just(&b"X-Amzn-Trace-Id: Root=1-2-3;user=a"[..]),
    ];
    let first = prop_oneof![
        Just(&b"GET /?key=abc&b=c HTTP/1.1"[..]),
        Just(&b"HTTP/1.1 200 OK"[..]),
        Just(&b"POST http://a:b@h/ HTTP/1.0"[..]),
    ];
    let end = prop_oneof![Just(&b"\r\n"[..]), Just(&b"\n"[..])];
    (first, vec(line, 0..6), end).prop_map(|(first, lines, end)| {
        let lines = lines.into_iter().flat_map(|line| [line, end]);
        [first, end].into_iter().chain(lines).chain([end]).collect::<Vec<_>>().concat()
    })
}

proptest! {
    #[test]
    fn a_whole_head_is_masked_as_ever(head in heads()) {
        let (mut want, ids) = (head.clone(), Pseudonym::default());
        mask_head(&mut want, &ids);
        assert_eq!(text(&in_pieces_with(&head, &[], &ids)), text(&want));
    }

    #[test]
    fn pieces_hide_no_less(head in heads(), cuts in vec(any::<usize>(), 0..9)) {
        let (mut want, ids) = (head.clone(), Pseudonym::default());
        mask_head(&mut want, &ids);
        for (got, want) in in_pieces_with(&head, &cuts, &ids).iter().zip(want) {
            assert!(*got == want || b"*x".contains(got));
        }
    }
}
