//! Memory, uptime and version for the monitoring endpoints, in the terms of their contract. Those
//! describe a JVM: each field says what it means here, and none is invented. What cannot be known
//! is 0 or empty.

use std::env::consts::{ARCH, OS};
use std::ffi::OsStr;
use std::fs::read_to_string;
use std::path::{Path, PathBuf};
use std::time::Instant;

use chrono::{DateTime, SubsecRound, Utc};
use nix::sys::utsname::{UtsName, uname};
use serde::Serialize;
use utoipa::ToSchema;

/// Memory, in bytes. If a control group limits this process, its limit counts as the machine's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MemoryInfo {
    /// What this process uses.
    pub total_jvm_memory: u64,
    /// 0: there is no heap with a free part.
    pub free_jvm_memory: u64,
    /// The most that this process can get.
    pub max_jvm_memory: u64,
    pub total_os_memory: u64,
    /// What is still available, including caches that would be given up.
    pub free_os_memory: u64,
    pub total_swap_memory: u64,
    pub free_swap_memory: u64,
}

/// How long this process has been running.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct StatusInfo {
    /// Whole seconds.
    pub uptime: u64,
    /// To the millisecond.
    #[schema(value_type = String)]
    pub startup: DateTime<Utc>,
}

/// What this program is and where it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VersionInfo {
    pub package_name: &'static str,
    pub package_version: &'static str,
    /// `DOSSIER_BUILD` when it was compiled, such as the commit; else empty.
    pub package_build: &'static str,
    /// `DOSSIER_BUILD_DATE` when it was compiled, ISO 8601; else empty.
    pub package_build_date: &'static str,
    pub os_name: String,
    /// The version of the kernel.
    pub os_version: String,
    pub os_arch: String,
    /// The compiler's version.
    pub java_version: &'static str,
    pub java_vendor: &'static str,
    pub java_vm: &'static str,
}

/// The start of this process. It is made first of all.
#[derive(Clone, Copy, Debug)]
pub struct Started {
    /// The wall clock may be set back, this one cannot.
    since: Instant,
    at: DateTime<Utc>,
}

/// A control group's memory: its limit and what is left below it.
struct Limit {
    total: u64,
    free: u64,
}

/// The place and the names of a control group's files, by version.
struct Group {
    folder: PathBuf,
    /// The root of the hierarchy: groups above it do not belong to this one.
    root: PathBuf,
    limit: &'static str,
    used: &'static str,
    /// The line of `memory.stat` for cached files that would be given up.
    cached: &'static str,
}

impl MemoryInfo {
    /// Reads the current values from a few files of the kernel, never from the disk.
    pub fn now() -> MemoryInfo {
        MemoryInfo::under(Path::new("/"))
    }

    /// The values in the files below this root.
    pub fn under(root: &Path) -> MemoryInfo {
        let machine = read(root.join("proc/meminfo"));
        let limits = limits(root);
        let within = |all, of: fn(&Limit) -> u64| limits.iter().map(of).fold(all, u64::min);
        let total = within(kib(&machine, "MemTotal:"), |limit| limit.total);
        let free = within(kib(&machine, "MemAvailable:"), |limit| limit.free);
        MemoryInfo {
            total_jvm_memory: kib(&read(root.join("proc/self/status")), "VmRSS:"),
            free_jvm_memory: 0,
            max_jvm_memory: total,
            total_os_memory: total,
            free_os_memory: free,
            total_swap_memory: kib(&machine, "SwapTotal:"),
            free_swap_memory: kib(&machine, "SwapFree:"),
        }
    }
}

impl Started {
    /// The values now.
    pub fn now() -> Started {
        Started { since: Instant::now(), at: Utc::now().trunc_subsecs(3) }
    }

    /// Uptime and start.
    pub fn status(&self) -> StatusInfo {
        StatusInfo { uptime: self.since.elapsed().as_secs(), startup: self.at }
    }
}

impl VersionInfo {
    /// This program on this machine. It does not change while the program runs.
    pub fn this() -> VersionInfo {
        let machine = uname().ok();
        let told = |tell: fn(&UtsName) -> &OsStr, otherwise: &str| match &machine {
            Some(machine) => tell(machine).to_string_lossy().into_owned(),
            None => otherwise.to_owned(),
        };
        VersionInfo {
            package_name: env!("CARGO_PKG_NAME"),
            package_version: env!("CARGO_PKG_VERSION"),
            package_build: option_env!("DOSSIER_BUILD").unwrap_or_default(),
            package_build_date: option_env!("DOSSIER_BUILD_DATE").unwrap_or_default(),
            os_name: told(|machine| machine.sysname(), OS),
            os_version: told(|machine| machine.release(), ""),
            os_arch: told(|machine| machine.machine(), ARCH),
            java_version: env!("DOSSIER_RUSTC"),
            java_vendor: "The Rust Project",
            java_vm: "none: native code on tokio",
        }
    }
}

/// This process's control group and all groups above it: each limits it.
fn limits(root: &Path) -> Vec<Limit> {
    let groups = read(root.join("proc/self/cgroup"));
    let groups = groups.lines().filter_map(|line| Group::parse(line, root));
    groups.flat_map(|group| group.limits()).collect()
}

impl Group {
    /// From a line of `/proc/self/cgroup`: hierarchy, controllers, path.
    fn parse(line: &str, root: &Path) -> Option<Group> {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        let path = path.trim_start_matches('/');
        if controllers.is_empty() {
            let root = root.join("sys/fs/cgroup");
            Some(Group {
                folder: root.join(path),
                root,
                limit: "memory.max",
                used: "memory.current",
                cached: "inactive_file",
            })
        } else if controllers.split(',').any(|controller| controller == "memory") {
            let root = root.join("sys/fs/cgroup/memory");
            Some(Group {
                folder: root.join(path),
                root,
                limit: "memory.limit_in_bytes",
                used: "memory.usage_in_bytes",
                cached: "total_inactive_file",
            })
        } else {
            None
        }
    }

    /// In a container the path is often the machine's, and only the root exists: a group that does
    /// not exist limits nothing.
    fn limits(&self) -> Vec<Limit> {
        let above = self.folder.ancestors().take_while(|folder| folder.starts_with(&self.root));
        above.filter_map(|folder| self.limit_of(folder)).collect()
    }

    /// The word `max` means no limit.
    fn limit_of(&self, folder: &Path) -> Option<Limit> {
        let bytes = |name| read(folder.join(name)).trim().parse::<u64>().ok();
        let total = bytes(self.limit)?;
        let cached = number(&read(folder.join("memory.stat")), self.cached);
        let used = bytes(self.used)?.saturating_sub(cached);
        Some(Limit { total, free: total.saturating_sub(used) })
    }
}

fn read(path: PathBuf) -> String {
    read_to_string(path).unwrap_or_default()
}

fn kib(text: &str, name: &str) -> u64 {
    number(text, name).saturating_mul(1_024)
}

/// The number after this name at the beginning of a line.
fn number(text: &str, name: &str) -> u64 {
    let found = text.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        (words.next() == Some(name)).then(|| words.next()?.parse().ok()).flatten()
    });
    found.unwrap_or_default()
}
