package jenkins.security;

import jenkins.security.apitoken.ApiTokenStore;

/** What holds a user's tokens. */
public class ApiTokenProperty {
    private final ApiTokenStore tokenStore = new ApiTokenStore();

    public ApiTokenStore getTokenStore() {
        return tokenStore;
    }
}
