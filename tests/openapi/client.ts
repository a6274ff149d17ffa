// The six steps with the generated types: compiled with tsc, run against a gateway.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Problem = components["schemas"]["Problem"];

const [baseUrl = "", mp3 = ""] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl, headers: { Authorization: "Bearer plain:default" } });

function found<T>(answer: { data?: T; error?: Problem; response: Response }): T {
  if (answer.data === undefined) throw new Error(`${answer.response.status} ${answer.error?.message}`);
  return answer.data;
}

const audio = found(
  await client.PUT("/api/v1/audio-files/add/{filename}", {
    params: { path: { filename: "typed" } },
    body: mp3,
    bodySerializer: (body) => Buffer.from(body, "base64"),
    headers: { "Content-Type": "application/octet-stream" },
  }),
);
const group = found(
  await client.PUT("/api/v1/subscriber-groups/add/{name}", {
    params: { path: { name: "typed" } },
    body: [{ fullName: "Ivan Potapov", phones: "776429" }],
  }),
);
// A dry run would have no id.
if (!("id" in group)) throw new Error("the group was not stored");
// Fields with defaults can be left out.
const settings = found(
  await client.POST("/api/v1/notification-settings", {
    body: { name: "typed", attemptCount: 1, successCondition: "PICKUP_PHONE" },
  }),
);
const task = found(
  await client.POST("/api/v1/tasks", {
    body: { name: "typed", settings: settings.id, files: audio.id, groups: [group.id] },
  }),
);
const start = found(await client.PUT("/api/v1/tasks/{id}/start", { params: { path: { id: task.id } } }));
const run = start.taskExecId ?? "";
const status = found(
  await client.GET("/api/v1/task-execs/{id}", { params: { path: { id: run }, query: { subscribers: "unreached" } } }),
);
const calls = found(await client.GET("/api/v1/calls", { params: { query: { number: "776429" } } }));
found(await client.GET("/api/v1/statistics", { params: { query: { groupBy: "day" } } }));
found(await client.GET("/readyz"));

const refusal = await client.GET("/api/v1/tasks/{id}", {
  params: { path: { id: "00000000-0000-4000-8000-000000000000" } },
});

console.log(
  JSON.stringify({
    settings: settings.maxCallDurationS,
    subscribers: status.report.subscriberCount,
    calls: calls.items.length,
    refused: refusal.error?.status,
  }),
);
