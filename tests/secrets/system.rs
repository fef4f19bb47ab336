//! What monitoring tells, on machines made of files.

use std::fs;
use std::path::Path;

use dossier::system::{MemoryInfo, Started, VersionInfo};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

const MIB: u64 = 1 << 20;

/// 8 GiB, half of it to be had, 1 GiB of swap, 100 MiB held by this process.
fn machine(files: &[(&str, &str)]) -> TempDir {
    let root = tempdir().unwrap();
    let meminfo = "MemTotal:  8388608 kB\nMemFree:  1048576 kB\nMemAvailable: 4194304 kB\n\
                   Cached: 1 kB\nSwapCached: 5 kB\nSwapTotal: 1048576 kB\nSwapFree: 524288 kB\n";
    put(root.path(), "proc/meminfo", meminfo);
    put(root.path(), "proc/self/status", "Name:\tdossier\nVmHWM: 204800 kB\nVmRSS:\t102400 kB\n");
    for (path, text) in files {
        put(root.path(), path, text);
    }
    root
}

fn put(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Of the machine's memory: all and what can be had, in MiB.
fn mebibytes(root: &TempDir) -> (u64, u64) {
    let memory = MemoryInfo::under(root.path());
    assert_eq!(memory.max_jvm_memory, memory.total_os_memory);
    (memory.total_os_memory / MIB, memory.free_os_memory / MIB)
}

#[test]
fn memory_is_told_in_bytes_under_the_names_of_the_contract() {
    let root = machine(&[]);
    assert_eq!(
        serde_json::to_value(MemoryInfo::under(root.path())).unwrap(),
        json!({
            "totalJvmMemory": 100 * MIB,
            "freeJvmMemory": 0,
            "maxJvmMemory": 8_192 * MIB,
            "totalOsMemory": 8_192 * MIB,
            "freeOsMemory": 4_096 * MIB,
            "totalSwapMemory": 1_024 * MIB,
            "freeSwapMemory": 512 * MIB,
        })
    );
}

#[test]
fn the_limit_of_a_control_group_is_the_machines_memory() {
    let root = machine(&[
        ("proc/self/cgroup", "0::/app\n"),
        ("sys/fs/cgroup/app/memory.max", "536870912\n"),
        ("sys/fs/cgroup/app/memory.current", "314572800\n"),
        ("sys/fs/cgroup/app/memory.stat", "anon 1\ninactive_file 104857600\nactive_file 9\n"),
    ]);
    assert_eq!(mebibytes(&root), (512, 312));
}

#[test]
fn the_tightest_of_nested_groups_holds() {
    let root = machine(&[
        ("proc/self/cgroup", "0::/tight/loose/own\n"),
        ("sys/fs/cgroup/tight/loose/own/memory.max", "max\n"),
        ("sys/fs/cgroup/tight/loose/own/memory.current", "1048576\n"),
        ("sys/fs/cgroup/tight/loose/memory.max", "1073741824\n"),
        ("sys/fs/cgroup/tight/loose/memory.current", "1048576\n"),
        ("sys/fs/cgroup/tight/memory.max", "268435456\n"),
        ("sys/fs/cgroup/tight/memory.current", "536870912\n"),
    ]);
    assert_eq!(mebibytes(&root), (256, 0));
}

#[test]
fn a_container_that_sees_only_the_root_of_its_group_is_limited_by_it() {
    let root = machine(&[
        ("proc/self/cgroup", "12:cpu,cpuacct:/docker/1\n3:memory:/docker/1\n0::/\n"),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n"),
        ("sys/fs/cgroup/memory/memory.usage_in_bytes", "536870912\n"),
        ("sys/fs/cgroup/memory/memory.stat", "inactive_file 7\ntotal_inactive_file 268435456\n"),
    ]);
    assert_eq!(mebibytes(&root), (1_024, 768));
}

#[test]
fn a_group_without_a_limit_changes_nothing() {
    let root = machine(&[
        ("proc/self/cgroup", "4:memory:/\n0::/\n"),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ("sys/fs/cgroup/memory/memory.usage_in_bytes", "8589934592\n"),
        ("sys/fs/cgroup/memory.max", "max\n"),
    ]);
    assert_eq!(mebibytes(&root), (8_192, 4_096));
}

#[test]
fn what_cannot_be_known_is_0() {
    let nothing = tempdir().unwrap();
    assert_eq!(MemoryInfo::under(nothing.path()), MemoryInfo::default());
    let odd = machine(&[("proc/meminfo", "MemTotal:\nMemAvailable: much kB\n\u{0}")]);
    assert_eq!(mebibytes(&odd), (0, 0));
}

#[cfg(target_os = "linux")]
#[test]
fn this_machine_has_memory_and_this_process_holds_some() {
    let memory = MemoryInfo::now();
    assert!(memory.total_jvm_memory > MIB);
    assert!(memory.total_jvm_memory < memory.max_jvm_memory);
    assert!((1..=memory.total_os_memory).contains(&memory.free_os_memory));
    assert!(memory.free_swap_memory <= memory.total_swap_memory);
}

#[test]
fn the_start_is_an_iso_instant_and_the_uptime_whole_seconds() {
    let before = chrono::Utc::now().timestamp_millis();
    let status = Started::now().status();
    let after = chrono::Utc::now().timestamp_millis();
    assert!((before..=after).contains(&status.startup.timestamp_millis()));
    let Value::Object(fields) = serde_json::to_value(&status).unwrap() else { panic!() };
    assert_eq!(fields.keys().collect::<Vec<_>>(), ["startup", "uptime"]);
    assert_eq!(fields["uptime"], 0);
    let startup = fields["startup"].as_str().unwrap();
    assert!(startup.ends_with('Z') && startup.len() <= 24, "{startup}");
    assert_eq!(startup.parse::<chrono::DateTime<chrono::Utc>>(), Ok(status.startup));
}

#[test]
fn the_version_has_exactly_the_fields_of_the_contract() {
    let version = VersionInfo::this();
    let Value::Object(fields) = serde_json::to_value(&version).unwrap() else { panic!() };
    let mut names = [
        "packageName",
        "packageVersion",
        "packageBuild",
        "packageBuildDate",
        "osName",
        "osVersion",
        "osArch",
        "javaVersion",
        "javaVendor",
        "javaVm",
    ];
    names.sort_unstable();
    assert_eq!(fields.keys().collect::<Vec<_>>(), names);
    assert!(fields.values().all(Value::is_string));
    assert_eq!(version.package_name, "dossier");
    assert!(version.java_version.starts_with("rustc 1."), "{}", version.java_version);
    assert!(!version.os_name.is_empty() && !version.os_arch.is_empty());
}
