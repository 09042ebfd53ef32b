use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;

use falx_core::Silent;

use super::*;

/// Answers one request after the other with `answers`, and tells what it was asked.
fn serve(answers: Vec<Vec<u8>>) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/archive", listener.local_addr().unwrap());
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap()).take(1 << 16);
            while reader.read_line(&mut request).unwrap() > 2 {}
            send.send(request).unwrap();
            stream.write_all(&answer).unwrap();
        }
    });
    (url, receive)
}

fn answer(status: &str, length: usize, body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn known() -> Pretrained {
    Pretrained {
        url: "https://example.org/archive.bin",
        bytes: 10,
        ..PRETRAINED[0]
    }
}

fn whole(url: &str, home: &Path) -> Result<PathBuf, ModelsError> {
    download::whole(url, &known(), home, &Silent, &Interrupt::default())
}

#[test]
fn a_download_that_broke_off_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let (url, asked) = serve(vec![
        answer("200 OK", 10, b"0123"),
        answer("206 Partial Content", 6, b"456789"),
    ]);
    let error = whole(&url, folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("after 4") && error.contains("--from FILE"),
        "{error}"
    );
    let path = whole(&url, folder.path()).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"0123456789");
    assert!(!asked.recv().unwrap().to_lowercase().contains("range:"));
    assert!(
        asked
            .recv()
            .unwrap()
            .to_lowercase()
            .contains("range: bytes=4-")
    );
    assert!(!folder.path().join("archive.bin.part").exists());
    // What is there is not fetched again.
    assert_eq!(whole("http://127.0.0.1:9/", folder.path()).unwrap(), path);
}

#[test]
fn a_server_without_parts_begins_again_and_errors_name_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("archive.bin.part"), b"xxxx").unwrap();
    let (url, _asked) = serve(vec![
        answer("404 Not Found", 0, b""),
        answer("200 OK", 12, b"0123456789ab"),
        answer("200 OK", 10, b"0123456789"),
    ]);
    let missing = whole(&url, folder.path()).unwrap_err().to_string();
    assert!(
        missing.contains("404") && missing.contains(&url),
        "{missing}"
    );
    let long = whole(&url, folder.path()).unwrap_err().to_string();
    assert!(long.contains("longer than the 10 bytes"), "{long}");
    let path = whole(&url, folder.path()).unwrap();
    assert_eq!(std::fs::read(path).unwrap(), b"0123456789");
}

#[test]
fn archives_are_known_by_their_checksum() {
    for known in PRETRAINED {
        assert_eq!(known.sha256.len(), 64);
        assert!(known.url.starts_with("https://"));
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("abc");
    std::fs::write(&path, "abc").unwrap();
    // FIPS 180-2, appendix B.1.
    let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(sha256_of(&path).unwrap(), sum);
}
