// Run by test_javascript_clients.py: node node.mjs URL CAPTURE_KEY SERVER_KEY, in a folder with the clients installed.
import { OpenFeature } from "@openfeature/server-sdk";
import { OFREPProvider } from "@openfeature/ofrep-provider";
import { PostHog } from "posthog-node";

const [url, captureKey, serverKey] = process.argv.slice(2);
const found = {};

const headers = [["Authorization", `Bearer ${serverKey}`]];
await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: url, headers }));
const client = OpenFeature.getClient();
const who = { targetingKey: "maria", plan: "pro" };
found.boolean = await client.getBooleanDetails("js-switch", false, who);
found.string = await client.getStringDetails("js-arms", "none", who);
found.number = await client.getNumberDetails("js-number", 0, who);
found.object = await client.getObjectDetails("js-object", {}, who);
found.ruled = await client.getBooleanDetails("js-ruled", false, who);
found.missing = await client.getStringDetails("nope", "mine", who);
found.nobody = await client.getStringDetails("js-arms", "mine", {});
await OpenFeature.close();

const remote = new PostHog(captureKey, { host: url, flushAt: 1000, flushInterval: 0 });
found.posthogRemote = await remote.getAllFlags("maria", { personProperties: { plan: "pro" } });
await remote.shutdown(100).catch(() => {});
const local = new PostHog(captureKey, { host: url, personalApiKey: serverKey, flushAt: 1000, flushInterval: 0 });
await local.reloadFeatureFlags();
found.posthogLocal = {};
for (let n = 0; n < 40; n += 1) {
  found.posthogLocal[`p-${n}`] = (await local.getAllFlags(`p-${n}`, { onlyEvaluateLocally: true }))["js-sha1"];
}
await local.shutdown(100).catch(() => {});
console.log(JSON.stringify(found));
process.exit(0);
