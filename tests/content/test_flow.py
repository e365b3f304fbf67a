"""In a flow's model only the values that name renamed artifacts change."""

from __future__ import annotations

import pytest

from cpi_tasks.content.flow import fixed_addresses, placeholders, process_direct, referenced_ids, rename_references


def prop(key: str, value: str, tag: str = "ifl") -> str:
    return f"<{tag}:property>\n  <key>{key}</key>\n  <value>{value}</value>\n</{tag}:property>\n"


def elements(*properties: str) -> str:
    return f"<bpmn2:extensionElements>\n{''.join(properties)}</bpmn2:extensionElements>"


def step(*properties: str) -> str:
    return f"<bpmn2:callActivity>{elements(*properties)}</bpmn2:callActivity>\n"


def mapping_step(bundle: str, name: str) -> str:
    return step(
        prop("mappinguri", f"dir://mmap/src/main/resources/mapping/{name}.mmap"),
        prop("mappingname", name),
        prop("mappingType", "MessageMapping"),
        prop("mappingpath", f"src/main/resources/mapping/{name}"),
        prop("messageMappingBundleId", bundle),
    )


def channel(*properties: str) -> str:
    return f'<bpmn2:messageFlow id="M1">{elements(*properties)}</bpmn2:messageFlow>'


def test_a_script_collection_follows_its_renaming() -> None:
    """The collection's id changes and the name of the script does not, even where both are the same."""
    model = step(prop("scriptBundleId", "SC"), prop("script", "SC"))

    assert rename_references(model.encode(), {"SC": "QA_SC"}).decode() == step(
        prop("scriptBundleId", "QA_SC"), prop("script", "SC")
    )


def test_a_message_mapping_takes_its_file_names_along() -> None:
    """With the id of a mapping the file names in the same step change, because the tenant names the file by the id."""
    model = mapping_step("MM.one", "MM.one")

    assert rename_references(model.encode(), {"MM.one": "QA_MM.one"}).decode() == mapping_step("QA_MM.one", "QA_MM.one")


def test_other_steps_and_other_file_names_stay() -> None:
    """A mapping embedded in the flow under the same name, and a file called otherwise, are left alone."""
    model = mapping_step("", "MM") + mapping_step("MM", "Other")
    expected = mapping_step("", "MM") + mapping_step("QA_MM", "Other")

    assert rename_references(model.encode(), {"MM": "QA_MM"}).decode() == expected


def test_mappings_chosen_at_run_time_follow() -> None:
    """A constant that is ``ref:`` and a known id, as a content modifier holds it, follows; other text does not."""
    table = prop("propertyTable", "&lt;cell id='Value'&gt;ref:MM&lt;/cell&gt;&lt;cell&gt;href:MM&lt;/cell&gt;")
    renamed = rename_references(table.encode(), {"MM": "QA_MM"}).decode()

    assert renamed == table.replace("&gt;ref:MM", "&gt;ref:QA_MM")
    assert referenced_ids(table.encode(), {"MM": "QA_MM"}) == {"MM"}
    assert referenced_ids(table.encode(), {}) == frozenset()


@pytest.mark.parametrize(
    "model",
    [
        prop("scriptBundleId", " SC\n", tag="x-1"),
        "<ifl:property><key> scriptBundleId </key><value>SC</value></ifl:property>",
        "<a:property><a:key>scriptBundleId</a:key>\r\n\t<a:value>SC</a:value></a:property>",
        prop("scriptBundleId", "S&#67;"),
    ],
)
def test_any_layout_is_understood(model: str) -> None:
    """Blanks, prefixes and character references do not hide an id, and stay around it."""
    renamed = rename_references(model.encode(), {"SC": "QA_SC"})

    assert referenced_ids(model.encode(), {}) == {"SC"}
    assert renamed.decode() in {model.replace("SC", "QA_SC"), model.replace("S&#67;", "QA_SC")}


def test_nothing_renamed_changes_no_byte() -> None:
    """Without a renaming the model keeps its bytes, whatever encoding they are in."""
    model = mapping_step("MM", "MM").encode() + b"\xff\r\n"

    assert rename_references(model, {"MM": "MM", "SC": "QA_SC"}) == model


def test_new_ids_are_escaped() -> None:
    """An id with characters that mean something in XML is written as a reference."""
    assert b"<value>A&amp;B</value>" in rename_references(prop("scriptBundleId", "SC").encode(), {"SC": "A&B"})


def test_parameters_of_the_model_are_found() -> None:
    """Names in double braces are parameters, with their XML escapes undone."""
    assert placeholders(b"<value>{{Receiver Host}}/{{a&amp;b}} {x} {{}}</value>") == {"Receiver Host", "a&b"}


def test_addresses_of_senders_are_found() -> None:
    """Only sender channels count, only without a parameter in the address, and not what a sender polls."""
    model = "".join(
        [
            channel(prop("urlPath", "/orders"), prop("direction", "Sender")),
            channel(prop("address", "/soap"), prop("direction", "Sender")),
            channel(prop("address", "{{Address}}"), prop("direction", "Sender")),
            channel(prop("address", "https://example.com/odata"), prop("direction", "Sender")),
            channel(prop("address", "/called"), prop("direction", "Receiver")),
        ]
    )

    assert fixed_addresses(model.encode()) == ("/orders", "/soap")


def direct(direction: str, address: str, kind: str = "ProcessDirect") -> str:
    return channel(prop("ComponentType", kind), prop("address", address), prop("direction", direction))


def test_process_direct_has_two_ends() -> None:
    """A sender channel is an address at which the flow listens, a receiver channel one that it calls."""
    model = direct("Sender", "/orders/in") + direct("Receiver", "/mail") + direct("receiver", "print/")

    assert process_direct(model.encode(), {}) == (frozenset(["orders/in"]), frozenset(["mail", "print"]))


def test_only_process_direct_counts() -> None:
    """Addresses of other adapters are no ProcessDirect addresses, also next to one."""
    model = direct("Receiver", "/soap", "SOAP") + direct("Sender", "/http", "HTTPS") + direct("Sender", "/in")

    assert process_direct(model.encode(), {}) == (frozenset(["in"]), frozenset[str]())


def test_parameters_are_filled_into_addresses() -> None:
    """An address follows the values of the files; without a value, or made at run time, it is not known."""
    model = "".join(
        [
            direct("Sender", "{{Own Address}}"),
            direct("Receiver", "/{{System}}/{{Topic}}"),
            direct("Receiver", "/{{System}}/{{Unset}}"),
            direct("Receiver", "/${property.next}"),
            direct("Receiver", "{{Empty}}"),
        ]
    )
    values = {"Own Address": " /in ", "System": "erp", "Topic": "orders", "Empty": ""}

    assert process_direct(model.encode(), values) == (frozenset(["in"]), frozenset(["erp/orders"]))


def test_escaped_addresses_are_read() -> None:
    """An address with characters that mean something in XML is what a person typed."""
    assert process_direct(direct("Receiver", "/a&amp;b").encode(), {}) == (frozenset[str](), frozenset(["a&b"]))
