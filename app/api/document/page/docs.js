"use strict";
// Shows openapi.json. Everything is put in as text, nothing as markup.

const DOCUMENT = new URL("../openapi.json", document.currentScript.src);
const METHODS = ["get", "head", "post", "put", "patch", "delete"];

function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function prose(text) {
  // Code between backquotes is all the markup that descriptions have.
  const parts = String(text || "").split("`");
  return parts.map((part, i) => (i % 2 ? make("code", {}, part) : part));
}

function nameOf(reference) {
  return reference.split("/").pop();
}

function resolve(api, thing) {
  return thing && thing.$ref ? thing.$ref.slice(2).split("/").reduce((at, key) => at[key], api) : thing;
}

function typeOf(schema) {
  if (schema === undefined || schema === true) return ["anything"];
  if (schema.$ref) {
    const name = nameOf(schema.$ref);
    return [make("a", { href: "#schema-" + name }, name)];
  }
  const choices = schema.oneOf || schema.anyOf;
  if (choices && choices.every((choice) => !choice.required)) return joined(choices.map(typeOf), " or ");
  if (schema.allOf) return typeOf(schema.allOf[0]);
  if (schema.const !== undefined) return [make("code", {}, JSON.stringify(schema.const))];
  if (schema.enum) return joined(schema.enum.map((value) => [make("code", {}, JSON.stringify(value))]), ", ");
  const kinds = [].concat(schema.type || "anything");
  if (kinds.includes("array")) return ["array of ", ...typeOf(schema.items)].concat(kinds.includes("null") ? [" or null"] : []);
  if (kinds.includes("object") && typeof schema.additionalProperties === "object" && !schema.properties)
    return ["map of ", ...typeOf(schema.additionalProperties)].concat(kinds.includes("null") ? [" or null"] : []);
  return [kinds.join(" or ") + (schema.format ? " (" + schema.format + ")" : "")];
}

function joined(lists, separator) {
  return lists.flatMap((list, i) => (i ? [separator, ...list] : list));
}

function table(rows) {
  return make("table", {}, make("tbody", {}, ...rows.map((cells) =>
    make("tr", {}, ...cells.map((cell) => make("td", {}, ...cell))))));
}

function members(schema) {
  const required = schema.required || [];
  return Object.entries(schema.properties || {}).map(([name, kind]) => [
    [make("code", {}, name), required.includes(name) ? "" : make("span", { class: "quiet" }, " optional")],
    typeOf(kind),
    prose(kind.description),
  ]);
}

function showOperation(api, path, method, item) {
  const operation = item[method];
  const parts = [make("h3", {},
    make("span", { class: "method " + method }, method.toUpperCase()), " ", make("span", { class: "path" }, path))];
  parts.push(make("p", {}, ...prose(operation.summary)));
  const parameters = [...(item.parameters || []), ...(operation.parameters || [])].map((one) => resolve(api, one));
  if (parameters.length)
    parts.push(make("h4", {}, "Parameters"), table(parameters.map((one) => [
      [make("code", {}, one.name), make("span", { class: "quiet" }, " " + one.in)], typeOf(one.schema), prose(one.description)])));
  if (operation.requestBody)
    parts.push(make("h4", {}, "Body"), make("p", {}, ...typeOf(operation.requestBody.content["application/json"].schema)));
  parts.push(make("h4", {}, "Answers"), table(Object.entries(operation.responses).map(([status, response]) => {
    const answer = resolve(api, response);
    const content = Object.values(answer.content || {})[0];
    return [[make("code", {}, status)], content ? typeOf(content.schema) : [make("span", { class: "quiet" }, "no body")], prose(answer.description)];
  })));
  return make("section", { id: "operation-" + operation.operationId }, ...parts);
}

function showSchema(name, schema) {
  const parts = [make("h3", {}, name), make("p", {}, ...prose(schema.description))];
  if (schema.properties) parts.push(table(members(schema)));
  else parts.push(make("p", {}, ...typeOf({ ...schema, description: undefined })));
  return make("section", { id: "schema-" + name }, ...parts);
}

function show(api) {
  const content = document.getElementById("content");
  const index = document.getElementById("index");
  content.replaceChildren(make("h2", {}, api.info.title + " " + api.info.version), make("p", {}, ...prose(api.info.description)));
  const groups = new Map((api.tags || []).map((tag) => [tag.name, []]));
  for (const [path, item] of Object.entries(api.paths))
    for (const method of METHODS.filter((name) => item[name]))
      (groups.get(item[method].tags[0]) || []).push([path, method, item]);
  for (const [tag, operations] of groups) {
    content.append(make("h2", {}, tag));
    const list = make("ul", {});
    for (const [path, method, item] of operations) {
      content.append(showOperation(api, path, method, item));
      list.append(make("li", { title: method.toUpperCase() + " " + path }, make("a", { href: "#operation-" + item[method].operationId }, item[method].operationId)));
    }
    index.append(make("h2", {}, tag), list);
  }
  content.append(make("h2", {}, "Types"));
  const types = make("ul", {});
  for (const [name, schema] of Object.entries(api.components.schemas).sort()) {
    content.append(showSchema(name, schema));
    types.append(make("li", {}, make("a", { href: "#schema-" + name }, name)));
  }
  index.append(make("h2", {}, "Types"), types);
  // What the address names was not there when the page was loaded.
  const wanted = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (wanted) wanted.scrollIntoView();
}

function filter(text) {
  const wanted = text.trim().toLowerCase();
  for (const node of document.querySelectorAll("main section, nav li"))
    node.hidden = wanted !== "" && !(node.textContent + (node.title || "")).toLowerCase().includes(wanted);
}

document.addEventListener("DOMContentLoaded", async () => {
  document.getElementById("filter").addEventListener("input", (event) => filter(event.target.value));
  try {
    const answer = await fetch(DOCUMENT);
    if (!answer.ok) throw new Error("openapi.json: " + answer.status);
    show(await answer.json());
  } catch (error) {
    document.getElementById("content").replaceChildren(make("p", {}, String(error)));
  }
});
