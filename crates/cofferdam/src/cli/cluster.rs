//! `cofferdam cluster`: the fleet's own authority for certificates, and how machines join it.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use base::Timestamp;
use runtime::Clock;
use runtime::cluster::{self, Authority, AuthorityServer, Founding, JoinToken, Own, Pass, Role};
use rustix::system::uname;

use super::cluster_args::{ClusterCommand, InitArgs, JoinArgs};
use super::cluster_config;
use super::global::Global;
use super::output;
use crate::config::{Addr, Config, Span};
use crate::failure::Failure;
use crate::logging;

/// The authority, in the data folder.
const AUTHORITY: &str = "authority";
/// Where it answers unless it is said otherwise.
const PORT: u16 = 8323;
const DAY: u64 = 24 * 3600;

pub(crate) fn run(global: &Global, command: &ClusterCommand) -> Result<(), Failure> {
    let config = Config::load(global.config.as_deref(), &global.overrides())?;
    let authority = config.data_dir().join(AUTHORITY);
    let now = Clock::new().now();
    match command {
        ClusterCommand::Init(args) => init(global, &config, &authority, args, now),
        ClusterCommand::Serve { listen } => serve(&config, &authority, *listen),
        ClusterCommand::Token(args) => {
            let authority = Authority::open(&authority)?;
            let invitation = invite(
                &authority,
                args.role.into(),
                args.name.as_deref(),
                args.ttl,
                now,
            )?;
            match global.json {
                true => output::json(&invitation),
                false => output::text(&invitation.shown()),
            }
        }
        ClusterCommand::Join(args) => join(global, &config, args),
        ClusterCommand::Renew { dir } => renew(global, &config, dir.as_deref()),
        ClusterCommand::List => list(global, &Authority::open(&authority)?, now),
        ClusterCommand::Revoke { name } => {
            Authority::open(&authority)?.revoke(name)?;
            done(global, &format!("{name} gets no other certificate"))
        }
    }
}

fn init(
    global: &Global,
    config: &Config,
    folder: &Path,
    args: &InitArgs,
    now: Timestamp,
) -> Result<(), Failure> {
    let founding = Founding {
        fleet: args.fleet.clone(),
        address: args.address.clone().unwrap_or_else(own_address),
        endpoints: args.store.clone(),
        lifetime: args.lifetime.0,
    };
    if founding.lifetime.as_secs() < 3 {
        return Err(Failure::new("--lifetime is under three seconds: give more"));
    }
    runtime::state::create_private_dir(&config.data_dir())?;
    let authority = Authority::create(folder, now, &founding)?;
    let own = Own::generate()?;
    let pass = authority.found(now, &args.name, args.role.into(), &own)?;
    let dir = member_dir(config, args.dir.as_deref());
    own.keep(&dir, &pass)?;
    let ttl = Span(std::time::Duration::from_secs(DAY));
    let invitation = invite(&authority, Role::Node, None, ttl, now)?;
    if global.json {
        return output::json(&serde_json::json!({
            "authority": folder,
            "member": told(&pass, &dir),
            "join": invitation,
        }));
    }
    output::text(&format!(
        "The authority is in {authority}: guard its ca.key, and keep a copy elsewhere.\n\
         {name} has its certificate in {dir}.\n\n\
         Serve the authority:\n\n  cofferdam cluster serve{data_dir}\n\n{invitation}",
        authority = output::shell_word(folder),
        name = args.name,
        dir = output::shell_word(&dir),
        data_dir = data_dir_flag(global),
        invitation = invitation.shown(),
    ))
}

fn serve(config: &Config, folder: &Path, listen: Option<Addr>) -> Result<(), Failure> {
    logging::start(config.log_format, config.log_level);
    let authority = Authority::open(folder)?;
    let address = authority.register()?.address;
    let port = address
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok());
    let addr = listen.map_or_else(
        || SocketAddr::from((Ipv4Addr::UNSPECIFIED, port.unwrap_or(PORT))),
        |listen| listen.0,
    );
    let server = AuthorityServer::bind(authority, addr, Clock::new())?;
    println!("ready authority={}", server.addr()?);
    // Without a service manager there is nobody to tell.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    server.run()
}

/// How somebody joins.
#[derive(serde::Serialize)]
struct Invitation {
    token: String,
    role: Role,
    authority: String,
    command: String,
    until_unix_s: u64,
    ttl: String,
}

impl Invitation {
    fn shown(&self) -> String {
        let Self {
            role, command, ttl, ..
        } = self;
        format!(
            "On the machine of a new {role}, once, within {ttl}:\n\n  {command}\n\n\
             `cofferdam cluster token --role node|gateway|etcd` makes more.\n"
        )
    }
}

fn invite(
    authority: &Authority,
    role: Role,
    name: Option<&str>,
    ttl: Span,
    now: Timestamp,
) -> Result<Invitation, Failure> {
    let token = authority.token(now, role, name, ttl.0)?.reveal();
    let address = authority.register()?.address;
    let name = name.unwrap_or("NAME");
    let more = match role {
        Role::Etcd => " --address ADDRESS --dir /etc/etcd/tls",
        Role::Gateway | Role::Node => "",
    };
    Ok(Invitation {
        command: format!("cofferdam cluster join {address} --name {name}{more} --token {token}"),
        token,
        role,
        authority: address,
        until_unix_s: u64::from(now.unix_secs()) + ttl.0.as_secs(),
        ttl: humantime::format_duration(ttl.0).to_string(),
    })
}

fn join(global: &Global, config: &Config, args: &JoinArgs) -> Result<(), Failure> {
    let token: JoinToken = read_token(args)?.parse().map_err(Failure::new)?;
    if let Some(file) = args.write_config.as_deref().filter(|file| file.exists()) {
        return Err(Failure::new(format!(
            "{} exists: give --write-config a new file, or leave it out",
            file.display()
        )));
    }
    let own = Own::generate()?;
    let pass = cluster::join(&args.authority, &token, &args.name, &args.address, &own)?;
    let dir = member_dir(config, args.dir.as_deref());
    own.keep(&dir, &pass)?;
    if let Some(file) = &args.write_config {
        let data_dir = global.data_dir.as_deref();
        let text =
            cluster_config::text(&pass.membership, data_dir, args.dir.as_deref(), args.listen);
        std::fs::write(file, text)
            .map_err(|e| Failure::new(format!("cannot write {}: {e}", file.display())))?;
    }
    if global.json {
        return output::json(&told(&pass, &dir));
    }
    let member = &pass.membership;
    let next = match (member.role, &args.write_config) {
        (Role::Etcd, _) => String::new(),
        (role, Some(file)) => {
            let file = output::shell_word(file);
            format!("Look at {file}, then: cofferdam {role} --config {file}\n")
        }
        (role, None) => format!("Next: cofferdam {role}{}\n", data_dir_flag(global)),
    };
    output::text(&format!(
        "{} is a member of {}, as {}; its certificate is in {}.\n{next}",
        member.name,
        member.fleet,
        member.role,
        output::shell_word(&dir)
    ))
}

/// From wherever it was given; it is never repeated.
fn read_token(args: &JoinArgs) -> Result<String, Failure> {
    let Some(file) = &args.token_file else {
        return Ok(args.token.clone().unwrap_or_default());
    };
    let mut text = String::new();
    let read = match file.as_os_str() == "-" {
        true => std::io::stdin().read_to_string(&mut text),
        false => std::fs::File::open(file).and_then(|mut file| file.read_to_string(&mut text)),
    };
    read.map_err(|e| {
        Failure::new(format!(
            "cannot read the token from {}: {e}",
            file.display()
        ))
    })?;
    Ok(text)
}

fn renew(global: &Global, config: &Config, dir: Option<&Path>) -> Result<(), Failure> {
    let dir = member_dir(config, dir);
    let membership = cluster::membership(&dir)?.ok_or_else(|| {
        Failure::new(format!(
            "{} has no certificate of a fleet's authority: `cofferdam cluster join` gets one",
            dir.display()
        ))
    })?;
    cluster::renew(&dir, &membership)?;
    done(
        global,
        &format!("{} has a new certificate", membership.name),
    )
}

fn list(global: &Global, authority: &Authority, now: Timestamp) -> Result<(), Failure> {
    let register = authority.register()?;
    if global.json {
        let tokens = register.tokens.iter().map(|token| {
            serde_json::json!({ "id": token.id, "role": token.role, "name": token.name,
                "until_unix_s": token.until_unix_s })
        });
        return output::json(&serde_json::json!({
            "fleet": register.fleet,
            "address": register.address,
            "members": register.members,
            "tokens": tokens.collect::<Vec<_>>(),
        }));
    }
    let left = |until: u64| match until.saturating_sub(u64::from(now.unix_secs())) {
        0 => "over".to_owned(),
        left if left >= 2 * DAY => format!("{} days", left / DAY),
        left => humantime::format_duration(std::time::Duration::from_secs(left)).to_string(),
    };
    let members = register.members.iter().map(|member| {
        let state = if member.revoked { "revoked" } else { "member" };
        vec![
            member.name.clone(),
            member.role.to_string(),
            state.to_owned(),
            left(member.until_unix_s),
        ]
    });
    let tokens = register.tokens.iter().map(|token| {
        let name = token.name.clone().unwrap_or_else(|| "-".to_owned());
        vec![
            name,
            token.role.to_string(),
            format!("token {}", token.id),
            left(token.until_unix_s),
        ]
    });
    let rows: Vec<Vec<String>> = members.chain(tokens).collect();
    output::text(&output::table(&["NAME", "ROLE", "STATE", "LEFT"], &rows))
}

fn told(pass: &Pass, dir: &Path) -> serde_json::Value {
    let member = &pass.membership;
    serde_json::json!({
        "fleet": member.fleet,
        "name": member.name,
        "role": member.role,
        "dir": dir,
    })
}

fn done(global: &Global, what: &str) -> Result<(), Failure> {
    match global.json {
        true => output::json(&serde_json::json!({ "done": what })),
        false => output::text(&format!("{what}\n")),
    }
}

fn member_dir(config: &Config, dir: Option<&Path>) -> PathBuf {
    dir.map_or_else(|| config.own_certificates(), Path::to_owned)
}

fn own_address() -> String {
    format!("{}:{PORT}", uname().nodename().to_string_lossy())
}

fn data_dir_flag(global: &Global) -> String {
    let dir = global.data_dir.as_deref();
    dir.map_or_else(String::new, |dir| {
        format!(" --data-dir {}", output::shell_word(dir))
    })
}
