use proptest::prelude::{any, proptest};

use super::{Hello, Masking, Said, Speaker, Version};

/// With its length before it, in so many bytes.
fn part(width: usize, bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len().to_be_bytes();
    [&length[length.len() - width..], bytes].concat()
}

fn extension(kind: u16, bytes: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &part(2, bytes)].concat()
}

fn record(message: u8, body: &[u8]) -> Vec<u8> {
    let message = [&[message][..], &part(3, body)].concat();
    [&[22, 3, 1][..], &part(2, &message)].concat()
}

/// What nobody may keep.
const SECRET: u8 = 0xee;

fn client(extensions: &[Vec<u8>]) -> Vec<u8> {
    let before = [&[3, 3][..], &[SECRET; 32], &part(1, &[SECRET; 32])].concat();
    let offered = [part(2, &[0x13, 1, 0x13, 2]), part(1, &[0])].concat();
    record(1, &[before, offered, part(2, &extensions.concat())].concat())
}

fn usual() -> Vec<u8> {
    let name = part(2, &[&[0][..], &part(2, b"Shop.example")].concat());
    let protocols = [part(1, &[0x1a, 0x1a]), part(1, b"h2"), part(1, b"http/1.1")].concat();
    client(&[
        extension(0x2a2a, &[]),
        extension(0, &name),
        extension(51, &part(2, &[SECRET; 1200])),
        extension(16, &part(2, &protocols)),
        extension(43, &part(1, &[3, 4, 3, 3])),
        extension(41, &[SECRET; 300]),
    ])
}

fn server(version: [u8; 2], extensions: &[Vec<u8>]) -> Vec<u8> {
    let before = [&version[..], &[SECRET; 32], &part(1, &[SECRET; 32]), &[0x13, 1, 0]].concat();
    let extensions = extensions.concat();
    let extensions = if extensions.is_empty() { vec![] } else { part(2, &extensions) };
    record(2, &[before, extensions].concat())
}

fn heard(record: &[u8]) -> Option<Hello> {
    Said::default().push(record)
}

#[test]
fn a_client_says_whom_it_wants_and_what_it_speaks() {
    let hello = heard(&usual()).unwrap();
    assert_eq!(hello.speaker, Speaker::Client);
    assert_eq!(hello.server_name.as_deref(), Some("shop.example"));
    assert_eq!(hello.protocols, ["h2", "http/1.1"]);
    assert_eq!(hello.version, None, "the server chooses");
}

#[test]
fn a_server_says_what_it_has_chosen() {
    let chosen = |record: &[u8]| {
        let hello = heard(record).unwrap();
        assert_eq!(hello.speaker, Speaker::Server);
        (hello.version.map(|it| it.to_string()), hello.protocols)
    };
    let version = |text: &str| Some(text.to_owned());
    assert_eq!(chosen(&server([3, 3], &[])), (version("1.2"), vec![]));
    assert_eq!(chosen(&server([3, 1], &[])), (version("1.0"), vec![]));
    let protocol = extension(16, &part(2, &part(1, b"h2")));
    assert_eq!(chosen(&server([3, 3], &[protocol])), (version("1.2"), vec!["h2".to_owned()]));
    let now = extension(43, &[3, 4]);
    let key = extension(51, &[SECRET; 40]);
    assert_eq!(chosen(&server([3, 3], &[key, now])), (version("1.3"), vec![]));
}

#[test]
fn of_a_cut_one_only_what_is_there_counts() {
    let whole = server([3, 3], &[extension(51, &[SECRET; 40]), extension(43, &[3, 4])]);
    let mut said = Said::default();
    assert_eq!(said.push(&whole[..whole.len() - 2]), None);
    assert_eq!(said.so_far().unwrap().version, None, "1.2 would be a lie");
    let whole = usual();
    let cut = Said::default().push(&whole[..200]);
    assert_eq!(cut, None);
}

#[test]
fn a_hello_may_come_in_pieces_of_any_size() {
    let whole = usual();
    let hello = heard(&whole);
    for size in [1, 5, 7, 100, 1000] {
        let mut said = Said::default();
        let told: Vec<_> = whole.chunks(size).filter_map(|piece| said.push(piece)).collect();
        assert_eq!(told.first(), hello.as_ref(), "{size}");
        assert_eq!(told.len(), 1, "{size}");
    }
}

#[test]
fn what_is_no_hello_says_nothing() {
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[23, 3, 3, 0, 1, 0], &[22, 3, 3, 0, 1, 11], b""]
    {
        assert_eq!(heard(bytes), None);
        assert_eq!(Said::default().so_far(), None);
    }
    let name = part(2, &[&[0][..], &part(2, b"a b\n")].concat());
    assert_eq!(heard(&client(&[extension(0, &name)])).unwrap().server_name, None);
}

#[test]
fn after_its_first_record_a_side_says_nothing() {
    // An alert, say, and then bytes that only look like a hello.
    let pieces = [&[21, 3, 3, 0, 2, 2, 40][..], &usual()];
    let (mut said, mut masking) = (Said::default(), Masking::default());
    for piece in pieces {
        assert_eq!(said.push(piece), None);
        masking.piece(piece);
    }
    assert_eq!(said.so_far(), None);
    assert_eq!(masking.piece(&usual()), vec![b'x'; usual().len()]);
}

#[test]
fn versions_are_named() {
    for (number, protocol, text) in [
        (0x0300, "ssl", "3"),
        (0x0301, "tls", "1.0"),
        (0x0304, "tls", "1.3"),
        (0x7f1c, "tls", "127.28"),
    ] {
        let version = Version(number);
        assert_eq!((version.protocol(), version.to_string().as_str()), (protocol, text));
    }
}

#[test]
fn what_is_masked_has_no_secret_and_says_the_same() {
    for whole in [usual(), server([3, 3], &[extension(51, &[SECRET; 40])])] {
        for size in [1, 3, 64, whole.len()] {
            let mut masking = Masking::default();
            let pieces = whole.chunks(size).map(|piece| masking.piece(piece));
            let masked = pieces.collect::<Vec<_>>().concat();
            assert_eq!(masked.len(), whole.len());
            assert!(!masked.contains(&SECRET), "{size}");
            assert_eq!(heard(&masked), heard(&whole), "{size}");
            assert_eq!(masking.piece(&[SECRET; 9]), [b'x'; 9], "after it");
        }
    }
}

proptest! {
    #[test]
    fn whatever_comes_masked_says_the_same(
        at in any::<usize>(), byte in any::<u8>(), cut in any::<usize>(), size in 1..400_usize,
    ) {
        let mut whole = usual();
        let at = at % whole.len();
        whole[at] = byte;
        whole.truncate(1 + cut % whole.len());
        let (mut masking, mut plain, mut blank) = <(Masking, Said, Said)>::default();
        for piece in whole.chunks(size) {
            let masked = masking.piece(piece);
            assert_eq!(plain.push(piece), blank.push(&masked));
            assert_eq!(plain.so_far(), blank.so_far());
        }
    }
}
