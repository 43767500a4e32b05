//! The command line: parse, run, exit code.

/// A call is many small texts: an allocator that is made for those takes a quarter off a campaign.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    rotaprobe::cli::main()
}
