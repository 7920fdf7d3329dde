// Bundled by test_javascript_clients.py and run in a browser, on a page of another origin than the server's.
import { OpenFeature, ProviderEvents } from "@openfeature/web-sdk";
import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";

window.start = async (url, key) => {
  const headers = [["Authorization", `Bearer ${key}`]];
  await OpenFeature.setContext({ targetingKey: "maria", plan: "pro" });
  await OpenFeature.setProviderAndWait(new OFREPWebProvider({ baseUrl: url, headers, pollInterval: 300 }));
  window.client = OpenFeature.getClient();
  window.changes = 0;
  OpenFeature.addHandler(ProviderEvents.ConfigurationChanged, () => { window.changes += 1; });
  return window.look();
};
window.look = () => ({
  boolean: window.client.getBooleanDetails("js-switch", false),
  string: window.client.getStringDetails("js-arms", "none"),
  number: window.client.getNumberDetails("js-number", 0),
  object: window.client.getObjectDetails("js-object", {}),
  ruled: window.client.getBooleanDetails("js-ruled", false),
  missing: window.client.getStringDetails("nope", "mine"),
});
window.become = async (context) => { await OpenFeature.setContext(context); return window.look(); };
