package dev.greenfield.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.greenfield.failure.InputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is a name of the hub, and what of it becomes the name of a folder or file. */
class HubNameTest {
    @ParameterizedTest
    @CsvSource({
        "openai-community/gpt2, openai-community/gpt2, main, models--openai-community--gpt2",
        "gpt2, gpt2, main, models--gpt2",
        "org/na.me_1@v1.0, org/na.me_1, v1.0, models--org--na.me_1",
        "org/name@refs/pr/1, org/name, refs/pr/1, models--org--name",
        "org/name@feature/x+y, org/name, feature/x+y, models--org--name",
    })
    void namesAreRead(String text, String repository, String revision, String folder) {
        HubName name = HubName.of(text);
        assertThat(name).isEqualTo(new HubName(repository, revision));
        assertThat(name.folder()).isEqualTo(folder);
        assertThat(name).hasToString(text);
        assertThat(HubName.find(text)).contains(name);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/",
                "a/b/c",
                FakeHub.UP + "name",
                "org/..",
                "org/.name",
                "org/name.git",
                "org/na--me",
                "org/na..me",
                "-org/name",
                "org/name-",
                "/etc/passwd",
                "C:\\models",
                "org\\name",
                "org/na me",
                "org/name\n",
                "org/na\u0000me",
                "\u00e9/name",
                "models/",
                "./gpt2"
            })
    void whatIsNoNameIsNone(String text) {
        assertThat(HubName.find(text)).isEmpty();
        assertThatThrownBy(() -> HubName.of(text)).isInstanceOf(InputException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "..",
                "a/../b",
                "/main",
                "main/",
                "a//b",
                "refs/.hidden",
                "a b",
                "a\nb",
                "a\u0000",
                "a\\b",
                "a:b"
            })
    void hostileRevisionsAreRefused(String revision) {
        assertThatThrownBy(() -> HubName.of("org/name@" + revision))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("revision")
                .satisfies(failure -> assertThat(failure.getMessage()).doesNotContain("\n", "\u0000"));
    }

    @Test
    void longNamesAreRefused() {
        assertThat(HubName.find("a".repeat(96) + "/" + "b".repeat(96))).isPresent();
        assertThat(HubName.find("a".repeat(97))).isEmpty();
        assertThatThrownBy(() -> HubName.of("a@" + "b".repeat(201))).isInstanceOf(InputException.class);
    }

    @Test
    void modelsThatMovedHaveTwoNames() {
        assertThat(HubName.of("gpt2@v1").otherName()).contains(HubName.of("openai-community/gpt2@v1"));
        assertThat(HubName.of("distilbert/distilgpt2").otherName()).contains(HubName.of("distilgpt2"));
        assertThat(HubName.of("org/gpt2").otherName()).isEmpty();
    }
}
