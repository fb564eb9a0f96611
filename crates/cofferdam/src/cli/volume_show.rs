//! What `cofferdam volume` prints: a volume in a row, in detail, and how to connect it.

use std::path::Path;
use std::time::Duration;

use super::access::segment;
use super::output;
use crate::wire::{AttachView, AttachedView, OperationView, StageView, VolumeView};

pub(super) fn row(volume: &VolumeView) -> Vec<String> {
    let attached = volume.attached.as_ref();
    vec![
        volume.volume.clone(),
        output::size(volume.size_bytes),
        output::known(attached.map(|a| a.stored_bytes), output::size),
        output::known(attached.map(|a| a.journal_used_bytes), output::size),
        volume.clients.len().to_string(),
        state(volume),
    ]
}

fn state(volume: &VolumeView) -> String {
    match &volume.attached {
        None => "detached".to_owned(),
        Some(attached) => match (&attached.stopped, attached.damaged_objects.is_empty()) {
            (Some(stage), _) => format!("stopped at {stage}"),
            (None, false) => "damaged".to_owned(),
            (None, true) => "attached".to_owned(),
        },
    }
}

pub(super) fn in_detail(volume: &VolumeView) -> String {
    let mut pairs = vec![
        ("volume", volume.volume.clone()),
        ("size", output::size(volume.size_bytes)),
        ("journal", output::size(volume.journal_bytes)),
        (
            "shared",
            if volume.shared { "yes" } else { "no" }.to_owned(),
        ),
        ("iops", output::limit(volume.iops_max, |n| n.to_string())),
        (
            "bytes/s",
            output::limit(volume.bytes_per_second_max, output::size),
        ),
        ("state", state(volume)),
        ("clients", volume.clients.join(", ")),
    ];
    let Some(attached) = &volume.attached else {
        return output::pairs(&pairs);
    };
    pairs.extend([
        ("journal used", output::size(attached.journal_used_bytes)),
        ("stored", output::size(attached.stored_bytes)),
        ("live", output::size(attached.live_bytes)),
        ("map in memory", output::size(attached.map_memory_bytes)),
        ("read cache", cache_hits(attached)),
        ("attached", format!("{} times", attached.epoch)),
    ]);
    pairs.extend(
        attached
            .damaged_objects
            .iter()
            .map(|object| ("damaged", object.clone())),
    );
    pairs.extend([
        ("requests now", attached.queue_length.to_string()),
        ("idle", span(attached.idle_ms)),
    ]);
    if let Some(mirror) = &attached.mirror {
        let behind = mirror.behind.as_ref();
        let state = behind.map_or(String::new(), |why| format!(" (BEHIND: {why})"));
        pairs.push(("second copy", format!("{}{state}", mirror.dir.display())));
    }
    let balances = [
        ("iops balance", attached.iops_balance_permille),
        ("bytes balance", attached.bytes_balance_permille),
    ];
    for (name, balance) in balances {
        pairs.extend(balance.map(|permille| (name, format!("{} %", permille / 10))));
    }
    if attached.unanswered_ms > 0 {
        pairs.push(("no answer for", span(attached.unanswered_ms)));
    }
    format!(
        "{}\n{}\n{}",
        output::pairs(&pairs),
        operations(attached),
        stages(attached)
    )
}

fn operations(attached: &AttachedView) -> String {
    let row = |operation: &OperationView| {
        vec![
            operation.operation.clone(),
            operation.count.to_string(),
            operation.failed.to_string(),
            output::size(operation.bytes),
            mean(operation.time_us, operation.count),
        ]
    };
    let rows: Vec<_> = attached.operations.iter().map(row).collect();
    output::table(&["REQUEST", "TIMES", "FAILED", "BYTES", "MEAN"], &rows)
}

fn stages(attached: &AttachedView) -> String {
    let row = |stage: &StageView| {
        let still = match stage.still_ms {
            0 => String::new(),
            ms => span(ms),
        };
        vec![
            stage.stage.clone(),
            stage.count.to_string(),
            mean(stage.time_us, stage.count),
            stage.under_way.to_string(),
            still,
        ]
    };
    let rows: Vec<_> = attached.stages.iter().map(row).collect();
    output::table(&["STAGE", "TIMES", "MEAN", "NOW", "STILL FOR"], &rows)
}

fn cache_hits(attached: &AttachedView) -> String {
    let (hits, misses) = (attached.read_cache_hits, attached.read_cache_misses);
    match hits + misses {
        0 => "not asked".to_owned(),
        all => format!("{} % of {all} blocks", hits * 100 / all),
    }
}

fn span(millis: u64) -> String {
    humantime::format_duration(Duration::from_millis(millis)).to_string()
}

fn mean(time_us: u64, count: u64) -> String {
    format!("{} us", time_us.checked_div(count).unwrap_or(0))
}

/// Lines to copy and paste.
pub(super) fn how_to_connect(view: &AttachView) -> String {
    let mut text = String::new();
    let volume = &view.volume;
    if let Some(tcp) = view.tcp.as_ref().filter(|_| view.tls) {
        let (host, port) = tcp.rsplit_once(':').unwrap_or((tcp, "10809"));
        text.push_str(&format!(
            "nbds://{tcp}/{volume}?tls-certificates=DIR   # DIR has ca-cert.pem, client-cert.pem, \
             client-key.pem\n\
             \x20 kernel   nbd-client {host} {port} /dev/nbd0 -N {volume} -C 4 -persist -certfile \
             DIR/client-cert.pem -keyfile DIR/client-key.pem -cacertfile DIR/ca-cert.pem -x\n\
             \x20 qemu     qemu-system-x86_64 -object tls-creds-x509,id=tls,endpoint=client,dir=DIR \
             -drive driver=nbd,server.type=inet,server.host={host},server.port={port},\
             export={volume},tls-creds=tls,reconnect-delay=60,if=virtio,format=raw\n\
             \x20 mount    nbdfuse /tmp/{}.img 'nbds://{tcp}/{volume}?tls-certificates=DIR' &\n",
            volume.replace('/', "-")
        ));
    }
    if let Some(tcp) = view.tcp.as_ref().filter(|_| !view.tls) {
        let (host, port) = tcp.rsplit_once(':').unwrap_or((tcp, "10809"));
        text.push_str(&format!(
            "nbd://{tcp}/{volume}\n\
             \x20 kernel   nbd-client {host} {port} /dev/nbd0 -N {volume} -C 4 -persist\n\
             \x20 qemu     qemu-system-x86_64 -drive \
             driver=nbd,server.type=inet,server.host={host},server.port={port},export={volume},\
             reconnect-delay=60,if=virtio,format=raw\n\
             \x20 image    qemu-img info nbd://{tcp}/{volume}\n\
             \x20 mount    mkdir -p /mnt/{volume} && touch /tmp/{volume}.img && \
             nbdfuse /tmp/{volume}.img nbd://{tcp}/{volume} &\n\
             \x20          mount -o loop /tmp/{volume}.img /mnt/{volume}   # after mkfs.ext4 \
             /tmp/{volume}.img, once\n"
        ));
    }
    if let Some(unix) = &view.unix {
        let word = output::shell_word(unix);
        let uri = format!("nbd+unix:///{volume}?socket={}", in_uri(unix));
        text.push_str(&format!(
            "{uri}\n\
             \x20 kernel   nbd-client -unix {word} /dev/nbd0 -N {volume} -C 4 -persist\n\
             \x20 image    qemu-img info '{uri}'\n\
             \x20 mount    nbdfuse /tmp/{}.img '{uri}' &\n",
            volume.replace('/', "-")
        ));
    }
    if text.is_empty() {
        text.push_str(&format!(
            "{volume} is ready, but no listener serves it: set listen.nbd_unix (--nbd-unix PATH)\n"
        ));
    }
    text
}

/// A path within a URI's query (RFC 3986).
pub(super) fn in_uri(path: &Path) -> String {
    let text = path.display().to_string();
    text.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
#[path = "volume_show_test.rs"]
mod tests;
