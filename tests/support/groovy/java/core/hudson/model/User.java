package hudson.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import jenkins.security.ApiTokenProperty;
import jenkins.security.apitoken.ApiTokenStore;

/** A user as tokens.groovy sees one. What is saved is in the file USERS/id, a line for each token, and lasts. */
public class User {
    private final Path file;
    private ApiTokenProperty property;

    private User(Path file) throws IOException {
        this.file = file;
        List<String> lines = Files.readAllLines(file);
        if (!lines.equals(List.of("no property"))) {
            property = new ApiTokenProperty();
            for (String line : lines) {
                property.getTokenStore().read(line);
            }
        }
    }

    public static User getById(String id, boolean create) throws IOException {
        Path file = Paths.get(System.getenv("USERS"), id);
        if (create || !Files.exists(file)) {
            return null;
        }
        return new User(file);
    }

    public <T> T getProperty(Class<T> kind) {
        return kind.cast(property);
    }

    public void addProperty(ApiTokenProperty added) {
        property = added;
    }

    public synchronized void save() throws IOException {
        List<String> lines = new ArrayList<>();
        for (ApiTokenStore.HashedToken token : property.getTokenStore().getTokenListSortedByName()) {
            lines.add(token.written());
        }
        Files.write(file, lines);
    }
}
