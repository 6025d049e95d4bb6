"""The crowd with the rights of a manager: it renames namespaces, protects, brings back and drops whole trees."""

import requests

from tests.contract.calls import namespace_path, segment
from tests.contract.crowd import ACTIONS, CHILDREN, SELDOM, TOPS, Action, Member
from tests.contract.holding import ROOT


class Manager(Member):
    """A member who also uses the management API. The warehouse holds what is dropped."""

    def managed(self) -> str:
        return namespace_path(*self.levels(), prefix=ROOT)

    def drop_namespace(self) -> requests.Response:
        levels = self.random.choice([SELDOM, self.levels()])
        return self.client.delete(namespace_path(*levels), params=self.force())

    def drop_table(self) -> requests.Response:
        purge = {"purgeRequested": self.random.choice(["true", "false"])}
        return self.client.delete(self.path("table"), params={**purge, **self.force()})

    def drop_view(self) -> requests.Response:
        return self.client.delete(self.path("view"), params=self.force())

    def force(self) -> dict[str, str]:
        return {"force": self.random.choice(["true", "false"])}

    def rename_namespace(self) -> requests.Response:
        everywhere = [[top] for top in (*TOPS, *SELDOM)]
        everywhere += [[*levels, child] for levels in everywhere for child in CHILDREN]
        source, destination = (self.random.choice(everywhere) for _ in range(2))
        return self.change(f"{namespace_path(*source, prefix=ROOT)}/rename", {"destination": destination})

    def protect(self) -> requests.Response:
        kind = self.random.choice(["", "table", "view"])
        below = f"/{kind}s/{segment(self.name(kind))}" if kind else ""
        body = {"protected": self.random.random() < 0.5}
        return self.client.put(f"{self.managed()}{below}/protection", json=body)

    def undrop(self) -> requests.Response:
        held = self.held()
        body = {} if self.random.random() < 0.5 else {"namespace": self.levels(), "name": self.name()}
        return self.change(f"{ROOT}/dropped/{held}/undrop", body)

    def expire(self) -> requests.Response:
        return self.client.delete(f"{ROOT}/dropped/{self.held()}")

    def held(self) -> int:
        """The id of something that was held a moment ago, or an id of nothing."""
        found = self.client.get(f"{ROOT}/dropped").json()["dropped"]
        return int(self.random.choice(found)["id"]) if found else 10**9

    def drop_tree(self) -> requests.Response:
        params = {"recursive": "true", "purge": self.random.choice(["true", "false"]), **self.force()}
        return self.client.delete(self.managed(), params=params)


MANAGED: list[Action] = [
    *(getattr(Manager, action.__name__) for action in ACTIONS),
    *([Manager.create_table] * 3),
    Manager.unregister,
    *([Manager.rename_namespace] * 4),
    *([Manager.protect] * 2),
    *([Manager.undrop] * 3),
    Manager.expire,
    Manager.drop_tree,
]
