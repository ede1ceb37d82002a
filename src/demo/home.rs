//! What a demo's home has beside the shipped files: adapters and schedules of sources that a city may have and need not.

/// Embeds a file of `home/` under its path.
macro_rules! own {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("home/", $path)))),+]
    };
}

/// Path below home → content.
pub const FILES: &[(&str, &str)] = own!["adapters/dispatch.toml", "schedules/pull-dispatch.toml",];

/// The addresses of these sources as the settings hold them, for whoever looks around in the home after the demo: while
/// it runs, the city's own take their place.
pub const ENDPOINTS: &str = "\n\
    # 以下地址只在演示中使用，演示运行时由程序换成本机的临时地址。\n\
    [endpoints.dispatch]\n\
    program = \"/usr/local/lib/yingbao/dispatch-licences\"\n";
