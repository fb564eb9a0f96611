//! `cofferdam tenant`.

use runtime::http::Method;

use super::access::{Access, segment};
use super::args::{CredentialCommand, TenantCommand};
use super::confirm::confirm;
use super::global::Global;
use super::{limit, output};
use crate::config::Size;
use crate::failure::Failure;
use crate::wire::{
    CredentialRequest, CredentialView, Grant, MoveReport, MoveRequest, Revoked, TenantRequest,
    TenantView,
};

const NO_BODY: Option<&()> = None;

pub(crate) fn run(global: &Global, command: TenantCommand) -> Result<(), Failure> {
    let access = Access::find(global)?;
    match command {
        TenantCommand::Add {
            name,
            memory,
            item_size,
            gateways,
        } => {
            let request = TenantRequest {
                name,
                memory_bytes: memory.bytes(),
                item_size_bytes: item_size.map(Size::bytes),
                gateways,
            };
            let grant = access.ask(Method::POST, "/v1/tenants", Some(&request))?;
            print_grant(global, &access, &grant)
        }
        TenantCommand::List => list(global, &access),
        TenantCommand::Show { name } => {
            let tenant = access.ask(Method::GET, &path(&name, ""), NO_BODY)?;
            print_tenant(global, &tenant)
        }
        TenantCommand::Limit { name, limits } => {
            let change = limits.change();
            let tenant = access.ask(Method::PATCH, &path(&name, ""), Some(&change))?;
            print_tenant(global, &tenant)
        }
        TenantCommand::Rotate { name } => {
            let request = CredentialRequest {
                rights: None,
                primary: true,
            };
            add_credential(global, &access, &name, &request)
        }
        TenantCommand::Revoke { name, username } => {
            let credential = format!("/credentials/{}", segment(&username));
            let revoked: Revoked =
                access.ask(Method::DELETE, &path(&name, &credential), NO_BODY)?;
            print_revoked(global, &name, &username, revoked)
        }
        TenantCommand::Credential(command) => credential(global, &access, command),
        TenantCommand::Move { name, from, finish } => {
            let request = MoveRequest { from, finish };
            let body = Some(&request);
            let report: MoveReport = access.ask(Method::POST, &path(&name, "/move"), body)?;
            print_move(global, &name, &report, finish)
        }
        TenantCommand::Flush { name, yes } => {
            confirm(&format!("Empty the cache of tenant {name}?"), yes)?;
            access.tell(Method::POST, &path(&name, "/flush"))?;
            done(global, &format!("flushed {name}"))
        }
        TenantCommand::Remove { name, yes } => {
            let question = format!("Remove tenant {name}, its credentials and all of its data?");
            confirm(&question, yes)?;
            access.tell(Method::DELETE, &path(&name, ""))?;
            done(global, &format!("removed {name}"))
        }
    }
}

fn credential(global: &Global, access: &Access, command: CredentialCommand) -> Result<(), Failure> {
    match command {
        CredentialCommand::Add { name, rights } => {
            let request = CredentialRequest {
                rights,
                primary: false,
            };
            add_credential(global, access, &name, &request)
        }
        CredentialCommand::List { name } => {
            let path = path(&name, "/credentials");
            let credentials: Vec<CredentialView> = access.ask(Method::GET, &path, NO_BODY)?;
            if global.json {
                return output::json(&credentials);
            }
            output::text(&credential_table(&credentials))
        }
        CredentialCommand::Promote { name, username } => {
            let credential = format!("/credentials/{}/promote", segment(&username));
            access.tell(Method::POST, &path(&name, &credential))?;
            done(
                global,
                &format!("{username} is now the primary credential of {name}"),
            )
        }
    }
}

fn add_credential(
    global: &Global,
    access: &Access,
    name: &str,
    request: &CredentialRequest,
) -> Result<(), Failure> {
    let grant = access.ask(Method::POST, &path(name, "/credentials"), Some(request))?;
    print_grant(global, access, &grant)
}

fn path(tenant: &str, rest: &str) -> String {
    format!("/v1/tenants/{}{rest}", segment(tenant))
}

/// Says what was done; in JSON, that it was.
fn done(global: &Global, what: &str) -> Result<(), Failure> {
    if global.json {
        return output::json(&serde_json::json!({ "done": what }));
    }
    output::text(&format!("{what}\n"))
}

fn print_grant(global: &Global, access: &Access, grant: &Grant) -> Result<(), Failure> {
    if access.is_offline() {
        let note = "the servers are those of the last run: look at the ready line of the next one";
        output::note(global, note);
    }
    if global.json {
        return output::json(grant);
    }
    let servers = grant.servers.join(",");
    let pairs = output::pairs(&[
        ("tenant", grant.tenant.clone()),
        ("servers", servers.clone()),
        ("user", grant.username.clone()),
        ("password", format!("{}  (shown this once)", grant.password)),
    ]);
    output::text(&format!(
        "{pairs}\nMEMCACHE_SERVERS={servers}\nMEMCACHE_USERNAME={}\nMEMCACHE_PASSWORD={}\n",
        grant.username, grant.password
    ))
}

fn print_revoked(
    global: &Global,
    name: &str,
    username: &str,
    revoked: Revoked,
) -> Result<(), Failure> {
    let what = format!("revoked credential {username} of {name}");
    let left = revoked.credentials_left;
    if global.json {
        return output::json(&serde_json::json!({ "done": what, "credentials_left": left }));
    }
    output::text(&match left {
        0 => format!(
            "{what}; it was the last one: nobody can log in until `cofferdam tenant rotate {name}` \
             makes another\n"
        ),
        _ => format!("{what}\n"),
    })
}

fn print_move(
    global: &Global,
    name: &str,
    report: &MoveReport,
    finish: bool,
) -> Result<(), Failure> {
    if global.json {
        return output::json(report);
    }
    let servers = report.servers.join(",");
    output::text(&match finish {
        true => format!("{name} is on its new gateways alone\n\nMEMCACHE_SERVERS={servers}\n"),
        false => format!(
            "{name} is on its old gateways and its new ones: give its clients the new list, then run \
             `cofferdam tenant move {name} --finish`\n\nMEMCACHE_SERVERS={servers}\n"
        ),
    })
}

fn list(global: &Global, access: &Access) -> Result<(), Failure> {
    let tenants: Vec<TenantView> = access.ask(Method::GET, "/v1/tenants", NO_BODY)?;
    if global.json {
        return output::json(&tenants);
    }
    let rows: Vec<Vec<String>> = tenants
        .iter()
        .map(|tenant| {
            vec![
                tenant.tenant.clone(),
                output::size(tenant.memory_bytes),
                output::known(tenant.used_bytes, output::size),
                output::known(tenant.items, |n| n.to_string()),
                output::known(tenant.connections, |n| n.to_string()),
                tenant.traffic.weight.to_string(),
                limits_in_short(tenant),
                tenant.credentials.len().to_string(),
            ]
        })
        .collect();
    let header = [
        "TENANT",
        "MEMORY",
        "USED",
        "ITEMS",
        "CONNECTIONS",
        "WEIGHT",
        "LIMITS",
        "CREDENTIALS",
    ];
    output::text(&output::table(&header, &rows))
}

/// The limits that are set, in one cell.
fn limits_in_short(tenant: &TenantView) -> String {
    let traffic = &tenant.traffic;
    let size = |bytes: u64| output::size(bytes);
    let limits = [
        traffic.ops_per_second.map(|n| format!("{n} ops/s")),
        traffic
            .bytes_in_per_second
            .map(|n| format!("{} in/s", size(n))),
        traffic
            .bytes_out_per_second
            .map(|n| format!("{} out/s", size(n))),
        traffic.connections.map(|n| format!("{n} connections")),
        traffic
            .connects_per_second
            .map(|n| format!("{n} connects/s")),
        traffic
            .inflight_bytes
            .map(|n| format!("{} inflight", size(n))),
    ];
    let set: Vec<String> = limits.into_iter().flatten().collect();
    match set.is_empty() {
        true => "-".to_owned(),
        false => set.join(", "),
    }
}

fn print_tenant(global: &Global, tenant: &TenantView) -> Result<(), Failure> {
    if global.json {
        return output::json(tenant);
    }
    let mut pairs = vec![
        ("tenant", tenant.tenant.clone()),
        ("memory", output::size(tenant.memory_bytes)),
        ("item size", output::size(tenant.item_size_bytes.into())),
        ("used", output::known(tenant.used_bytes, output::size)),
        ("items", output::known(tenant.items, |n| n.to_string())),
        (
            "connections",
            output::known(tenant.connections, |n| n.to_string()),
        ),
    ];
    if !tenant.gateways.is_empty() {
        pairs.push(("gateways", tenant.gateways.join(", ")));
    }
    pairs.extend(limit::shown(&tenant.traffic));
    let pairs = output::pairs(&pairs);
    if tenant.credentials.is_empty() {
        return output::text(&pairs);
    }
    output::text(&format!(
        "{pairs}\n{}",
        credential_table(&tenant.credentials)
    ))
}

fn credential_table(credentials: &[CredentialView]) -> String {
    let rows: Vec<Vec<String>> = credentials
        .iter()
        .map(|credential| {
            let primary = if credential.primary { "yes" } else { "no" };
            vec![
                credential.username.clone(),
                credential.rights.clone(),
                primary.to_owned(),
            ]
        })
        .collect();
    output::table(&["USER", "RIGHTS", "PRIMARY"], &rows)
}
