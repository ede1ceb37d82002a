//! What a demo's home has beside the shipped files: the adapter and schedule of a source that is its own, and the addresses of the
//! optional ones.

use crate::adapter::endpoint::Endpoint;
use crate::adapter::endpoint::host::{FtpHost, FtpTls, Names, SftpHost};
use crate::demo::sftp_server::{Account, host_key, public_line};

/// Embeds a file of `home/` under its path.
macro_rules! own {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("home/", $path)))),+]
    };
}

/// Path below home → content.
pub const FILES: &[(&str, &str)] = own!["adapters/dispatch.toml", "schedules/pull-dispatch.toml",];

/// Who logs in to the city's servers of files.
pub const USER: &str = "yingbao";

/// The password of that account; the city is invented, and so is its secret.
pub const PASSWORD: &str = "demo";

/// The file below home that holds it.
pub const PASSWORD_FILE: &str = "secrets/demo-password";

/// The addresses of these sources as the settings hold them, for whoever looks around in the home after the demo: while
/// it runs, the city's own take their place, which differ by port and folder alone. The key of the SFTP server is that of the seed.
#[must_use]
pub fn settings(seed: u64) -> String {
    let host_key = public_line(&host_key(seed)).unwrap_or_default();
    format!(
        "
# 以下地址只在演示中使用，演示运行时由程序换成本机的临时地址。
[endpoints.dispatch]
program = \"/usr/local/lib/yingbao/dispatch-licences\"

[endpoints.express.sftp]
host = \"127.0.0.1\"
user = \"{USER}\"
password_file = \"{PASSWORD_FILE}\"
host_key = \"{host_key}\"

[endpoints.food.ftp]
host = \"127.0.0.1\"
user = \"{USER}\"
password_file = \"{PASSWORD_FILE}\"
plain = true
names = \"gb18030\"
"
    )
}

/// The city's SFTP server of express licences, at its port of this run.
#[must_use]
pub fn express(seed: u64, port: u16) -> Endpoint {
    Endpoint {
        sftp: Some(SftpHost {
            host: "127.0.0.1".to_owned(),
            port,
            user: USER.to_owned(),
            password_file: Some(PASSWORD_FILE.into()),
            key_file: None,
            passphrase_file: None,
            host_key: public_line(&host_key(seed)),
            known_hosts: None,
            names: Names::Auto,
            old_algorithms: false,
        }),
        ..Endpoint::default()
    }
}

/// The city's FTP server of food licences, at its port of this run.
#[must_use]
pub fn food(port: u16) -> Endpoint {
    Endpoint {
        ftp: Some(FtpHost {
            host: "127.0.0.1".to_owned(),
            port: Some(port),
            user: USER.to_owned(),
            password_file: PASSWORD_FILE.into(),
            tls: FtpTls::Explicit,
            ca_file: None,
            certificate_name: None,
            plain: true,
            names: Names::Gb18030,
        }),
        ..Endpoint::default()
    }
}

/// Who may log in to the city's servers of files.
#[must_use]
pub fn account() -> Account {
    Account {
        user: USER.to_owned(),
        password: PASSWORD.to_owned(),
    }
}
