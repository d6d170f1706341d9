import type { Config } from "../../config/schema.ts";
import { listenedPorts } from "./permissions.ts";

/** Ports that only a privileged process may listen on. */
const PRIVILEGED_BELOW = 1024;

/** A systemd unit for the executable that `deno task compile` makes. */
export function systemdUnit(config: Config, { configFile }: { configFile: string }): string {
  const { dataDir, queue: { drainTimeoutMs } } = config;
  const isPrivileged = listenedPorts(config).some((port) => port < PRIVILEGED_BELOW);
  const capability = isPrivileged ? "CAP_NET_BIND_SERVICE" : "";
  // Relative folders start at the working directory, which systemd makes.
  const writable = dataDir.startsWith("/") ? `ReadWritePaths=${dataDir}\n` : "";
  return `# /etc/systemd/system/posthouse.service
[Unit]
Description=Posthouse mail relay
After=network-online.target
Wants=network-online.target

[Service]
ExecStart=/usr/local/bin/posthouse serve --config ${configFile}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
TimeoutStopSec=${Math.ceil(drainTimeoutMs / 1000) + 10}
DynamicUser=yes
StateDirectory=posthouse
WorkingDirectory=/var/lib/posthouse
${writable}LimitNOFILE=65536
AmbientCapabilities=${capability}
CapabilityBoundingSet=${capability}
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
UMask=0077

[Install]
WantedBy=multi-user.target
`;
}
